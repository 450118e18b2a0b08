#!/bin/sh
# fetch-lists.sh FILE COMMAND URL CA [URL CA ...]
# Fetches the list (CRL) at each URL, checks that it is of the CA certificate in the file CA, has not ended, and is not older than
# the one before (FILE.numbers), and writes all of them into FILE. Runs COMMAND if FILE has changed. Leaves FILE as it was if
# anything fails.
set -eu
file=$1
command=$2
shift 2
# Beside FILE, so that the last step is a rename.
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new" "$new.der" "$new.log" "$new.numbers"' EXIT
refuse() {
  echo "$1" >&2
  exit 1
}
while [ $# -gt 0 ]; do
  curl --fail --silent --show-error --max-time 10 --output "$new.der" "$1"
  openssl crl -inform DER -in "$new.der" -CAfile "$2" >> "$new" 2> "$new.log" || true
  # The exit code doesn't tell.
  grep -q '^verify OK' "$new.log" || refuse "$1: no list of the CA in $2: $(cat "$new.log")"
  end=$(openssl crl -inform DER -in "$new.der" -noout -nextupdate | cut -d= -f2)
  [ "$(date -d "$end" +%s)" -gt "$(date +%s)" ] || refuse "$1: the list has ended at $end"
  # In hex, without zeros in front: the longer one is higher.
  number=$(openssl crl -inform DER -in "$new.der" -noout -crlnumber | sed -n 's/^crlNumber=\(0x\)\{0,1\}\([0-9A-F]*\)$/\2/p')
  former=$(awk -v url="$1" '$1 == url { print $2 }' "$file.numbers" 2> /dev/null || true)
  lower=$(printf '%s\n%s\n' "${#number} $number" "${#former} $former" | LC_ALL=C sort -k 1n -k 2 | head -n 1)
  [ "$number" = "$former" ] || [ "$lower" = "${#former} $former" ] ||
    refuse "$1: the list has the number $number, and the one before had $former"
  echo "$1 $number" >> "$new.numbers"
  shift 2
done
cmp -s "$new" "$file" && exit 0
chmod 644 "$new"
mv "$new.numbers" "$file.numbers"
mv "$new" "$file"
$command
