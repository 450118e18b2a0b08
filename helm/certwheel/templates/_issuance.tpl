{{- /*
CEL for the patterns of issuance rules, as src/policy/names.ts reads them. RE2 takes everything between \Q and \E as it is.
*/}}

{{- /* The regular expression of a pattern, without anchors. `class` is what `*` stands for. */}}
{{- define "certwheel.cel.glob" -}}
(r"\Q" + {{ .pattern }}.replace("[*]", "\u0001").replace("*", r"\E{{ .class }}+\Q").replace("{namespace}", request.namespace).replace("{name}", object.metadata.name).replace("\u0001", "*") + r"\E")
{{- end }}

{{- define "certwheel.cel.inText" }}[A-Za-z0-9_-]{{ end }}
{{- define "certwheel.cel.inHost" }}[a-z0-9_-]{{ end }}
{{- define "certwheel.cel.inPath" }}[A-Za-z0-9._~-]{{ end }}
{{- define "certwheel.cel.inLocalPart" }}[A-Za-z0-9._+-]{{ end }}

{{- /* Scheme and host of a URI, and the rest. */}}
{{- define "certwheel.cel.head" -}}
{{ . }}.find("^[^:/?#]*:?(//[^/?#]*)?")
{{- end }}
{{- define "certwheel.cel.tail" -}}
{{ . }}.substring({{ include "certwheel.cel.head" . }}.size())
{{- end }}

{{- /* What a rule lists, by the places of variables.fields. */}}
{{- define "certwheel.cel.lists" -}}
[{{ . }}.?commonNames.orValue([]), {{ . }}.?subject.?organizations.orValue([]),
{{ . }}.?subject.?organizationalUnits.orValue([]), {{ . }}.?subject.?countries.orValue([]),
{{ . }}.?subject.?provinces.orValue([]), {{ . }}.?subject.?localities.orValue([]),
{{ . }}.?subject.?streetAddresses.orValue([]), {{ . }}.?subject.?postalCodes.orValue([]),
{{ . }}.?subject.?serialNumbers.orValue([]), {{ . }}.?dnsNames.orValue([]), {{ . }}.?uris.orValue([]),
{{ . }}.?emailAddresses.orValue([]), {{ . }}.?ipAddresses.orValue([])]
{{- end }}

{{- /* Whether pattern p allows value v of the field in place i of variables.fields. */}}
{{- define "certwheel.cel.allows" -}}
i == 12 ? (isCIDR(p) ? isIP(v) && cidr(p).containsIP(ip(v)) : isIP(p) && isIP(v) && ip(p) == ip(v)) :
(i == 11 ? v.substring(0, v.lastIndexOf("@")) + v.substring(v.lastIndexOf("@")).lowerAscii() : v).matches("^" + (
i == 9 ? {{ include "certwheel.cel.glob" (dict "pattern" "p.lowerAscii()" "class" (include "certwheel.cel.inHost" .)) }} :
i == 10 ? {{ include "certwheel.cel.glob" (dict "pattern" (printf "%s.lowerAscii()" (include "certwheel.cel.head" "p")) "class" (include "certwheel.cel.inHost" .)) }} +
{{ include "certwheel.cel.glob" (dict "pattern" (include "certwheel.cel.tail" "p") "class" (include "certwheel.cel.inPath" .)) }} :
i == 11 ? {{ include "certwheel.cel.glob" (dict "pattern" "p.substring(0, p.lastIndexOf(\"@\") + 1)" "class" (include "certwheel.cel.inLocalPart" .)) }} +
{{ include "certwheel.cel.glob" (dict "pattern" "p.substring(p.lastIndexOf(\"@\") + 1).lowerAscii()" "class" (include "certwheel.cel.inHost" .)) }} :
{{ include "certwheel.cel.glob" (dict "pattern" "p" "class" (include "certwheel.cel.inText" .)) }}) + "$")
{{- end }}
