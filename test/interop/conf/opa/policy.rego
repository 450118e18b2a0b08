package mtls

default allow := false

# Envoy has verified the certificate; this policy reads its fields, so no pattern over a text is needed.
client := crypto.x509.parse_certificates(input.certificate)[0]

is_transaction if startswith(input.path, "/transactions")

allow if {
	client
	not is_transaction
}

allow if {
	is_transaction
	"finance" in client.Subject.OrganizationalUnit
}
