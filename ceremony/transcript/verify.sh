#!/bin/sh
# Checks the folder of a key ceremony without keymat: plan and approvals; the chain
# of lines in each record, and that the records follow one another; the statements
# that were signed; each file that a line names, and those that such a file names;
# and all signatures that plan and records ask for. Files that nothing names are
# told. Whether the lines keep to the rules of a ceremony it cannot say.
# It takes ssh-keygen, sed, awk, and sha256sum with the rest of coreutils, and a plan
# that is written as keymat writes one. The keys are those of the plan: compare them
# with what is known from elsewhere.
#
#     sh verify.sh FOLDER
set -eu
export LC_ALL=C
cd "$1"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: > "$tmp/named"
: > "$tmp/signed"

bad() { echo "$*"; exit 1; }
line() { sed -n "$1p" "$tmp/lines"; }
# value TEXT MEMBER: VALUE becomes the first member of that name, "" for none. A quote
# within a text has a backslash before it.
value() {
	VALUE=
	case "$1" in *"\"$2\":"*) ;; *) return 0 ;; esac
	VALUE=${1#*"\"$2\":"}
	VALUE=${VALUE#\"}
	VALUE=${VALUE%%[\"\},]*}
}
names() { # TEXT MEMBER: those in a list, one per line
	case "$1" in *"\"$2\":["*) ;; *) return 0 ;; esac
	set -- "${1#*"\"$2\":["}"
	set -- "${1%%]*}"
	[ -z "$1" ] || echo "$1" | tr -d '"' | tr , '\n'
}
field() { sed -n "/^  \"$1\": \"/{s/^[^:]*: \"\([^\"]*\)\",*\$/\1/p;q;}" "$2"; }
is() { # a file, its SHA-256
	[ -f "$1" ] || bad "$1: missing"
	[ "$(sha256sum < "$1")" = "$2  -" ] || bad "$1: not the one that the record names"
}

# What the plan says of people: "key ID TYPE BASE64", "role ID ROLE", "gate GATE ID".
people() {
	sed 's/^#.*//; s/[[:space:]]#.*//; s/[],["{}]/ /g' plan.yaml | awk '
		function person() {
			for (r = 1; r <= roles; r++) print "role", id, role[r]
			if (key != "") print "key", id, key
			id = key = ""; roles = 0
		}
		/^[a-z]/ { part = $1 }
		{ for (i = 1; i <= NF; i++) {
			if (part == "people:" && $i == "-" && $(i + 1) ~ /:$/) person() # the members come in any order
			if ($i ~ /^[a-z_]+:$/) { name = $i; if (name == "gates:") part = name; continue }
			if ($i == "-") continue
			if (part == "gates:") { print "gate", substr(name, 1, length(name) - 1), $i; continue }
			if (part != "people:") continue
			if (name == "id:") { if (id != "") person(); id = $i }
			if (name == "roles:") role[++roles] = $i
			if (name == "key:" && $(i + 1) ~ /^AAAA/) key = $i " " $(i + 1)
		} }
		END { person() }'
}
gate() { sed -n "s/^gate $1 //p" "$tmp/people"; }
keys() { sed -n "s|^key \([^ ]*\) \(.*\)|\1 namespaces=\"$1\" \2|p" "$tmp/people"; }

# signed FILE NAMESPACE: by those in the file "signers"; what they signed is checked at the end
signed() {
	while read -r who; do
		[ -f "$1.$who.sig" ] || bad "$1: not signed by $who"
	done < "$tmp/signers"
	echo "$1" >> "$tmp/vouched"
	echo "$1 $2" >> "$tmp/signed"
}
signatures() {
	while read -r name namespace; do
		for sig in "$name".*.sig; do
			[ -e "$sig" ] || continue
			who=${sig#"$name".}
			who=${who%.sig}
			armoured "$sig" && ssh-keygen -Y verify -f "$tmp/keys" -I "$who" -n "$namespace" -s "$sig" < "$name" > /dev/null 2>&1 ||
				bad "$sig: not a signature of $name by $who"
		done
	done < "$tmp/signed"
}

# armoured SIGNATURE: ssh-keygen has room for more spellings of one than this
armoured() {
	awk -v size="$(wc -c < "$1")" '
		{ all[NR] = $0; bytes += length($0) + 1 }
		END {
			for (i = 2; i < NR; i++) { text = text all[i]; if (all[i] == "") blank = 1 }
			exit !(bytes == size && !blank && all[1] == "-----BEGIN SSH SIGNATURE-----" && all[NR] == "-----END SSH SIGNATURE-----" &&
				length(text) % 4 == 0 && text ~ /^[A-Za-z0-9+\/]*([AQgw]==|[AEIMQUYcgkosw048]=)?$/)
		}' "$1"
}

# digests RECORD: of each line without its newline, and what each says of the one before
digests() {
	rm -f "$tmp"/l.*
	split -a 5 -l 1 "$1" "$tmp/l."
	truncate -s -1 "$tmp"/l.*
	sha256sum "$tmp"/l.* | cut -c 1-64 > "$tmp/digests"
	awk '{ print match($0, /"prev":"[0-9a-f]*"/) ? substr($0, RSTART + 8, RLENGTH - 9) : "-" }' "$1" > "$tmp/prevs"
}

# Lines that were cut off, by a power cut say, do not count. A later one tells of
# them, and binds the line before them in their place.
torn() {
	void=" "
	for n in $(grep -a -n '"event":"resume".*}}$' "$1" | cut -d : -f 1); do
		text=$(sed -n "${n}p" "$1")
		value "$text" torn_lines
		first=$((n - VALUE))
		[ "$first" -gt 1 ] || bad "$1: line $n: it tells of lines that are not there"
		value "$text" torn_sha256
		[ "$(sed -n "$first,$((n - 1))p" "$1" | head -c -1 | sha256sum)" = "$VALUE  -" ] || bad "$1: line $n: those before it are not the ones that were cut off"
		value "$text" after
		[ "$(sed -n "$((first - 1))p" "$tmp/digests")" = "$VALUE" ] || bad "$1: line $n: those before it are not the ones that were cut off"
		void="$void$(seq -s ' ' "$first" $((n - 1))) "
	done
}

# record FILE HEAD NUMBER: END becomes the digest of its last line
record() {
	[ -s "$1" ] || bad "$1: empty"
	[ "$(tail -c 1 "$1" | od -A n -t x1 | tr -d ' ')" = 0a ] || bad "$1: the last line is cut off"
	lines=$(wc -l < "$1" | tr -d ' ')
	digests "$1"
	torn "$1"
	awk -v void="$void" '
		FNR == 1 { files++ }
		files == 1 { digest[FNR] = $0; next }
		index(void, " " FNR " ") { next }
		$0 != (FNR == 1 ? "0000000000000000000000000000000000000000000000000000000000000000" : digest[FNR - 1]) { print FNR; exit }
	' "$tmp/digests" "$tmp/prevs" > "$tmp/broken"
	[ ! -s "$tmp/broken" ] || bad "$1: line $(cat "$tmp/broken"): prev is not the digest of the line before"
	awk -v void="$void" '{ print index(void, " " NR " ") ? "" : $0 }' "$1" > "$tmp/lines"
	first=$(line 1)
	case "$first" in *'"event":"open","data":{"kind":"keymat/transcript","version":1,'*) ;; *) bad "$1: it does not begin as a record does" ;; esac
	value "$first" plan_sha256
	[ "$VALUE" = "$plan" ] || bad "plan.yaml is not the plan of $1"
	names "$first" approvers > "$tmp/signers"
	gate plan | cmp -s - "$tmp/signers" || bad "$1: line 1: others approve the plan"
	part=${first#*\"part\":}
	if [ "$3" -eq 1 ]; then
		[ "$part" = "$first" ] || bad "$1: it is not the first record"
	else
		case "$part" in
		"{\"number\":$(($3 - 1)),\"machine\":\""*"\",\"after\":\"$end\"}"*) ;;
		*) bad "$1: it does not follow the record before" ;;
		esac
	fi
	end=$(tail -n 1 "$tmp/digests")
	echo "$1" >> "$tmp/vouched"
	last=$(line "$lines")
	closed=no
	case "$last" in *'"event":"close"'*) closed=yes ;; esac
	if [ "$closed" = no ] && [ ! -e "$2" ]; then
		return 0
	fi
	[ "$closed" = yes ] || bad "$1: line $lines: the record is not closed"
	value "$first" ceremony
	printf '{"kind":"keymat/head","version":1,"ceremony":"%s","lines":%s,"head":"%s"}\n' "$VALUE" "$lines" "$end" |
		cmp -s - "$2" || bad "$2: not of $1, whose last line was changed, or where lines are missing"
	names "$last" signers > "$tmp/signers"
	gate close | cmp -s - "$tmp/signers" || bad "$1: line $lines: others sign the record"
	signed "$2" keymat-transcript@v1
}

# artefact EVENT NUMBER LINE: what the file of a line names, and who has to have signed
artefact() {
	text=$3
	file="{\"name\":${text#*\{\"name\":}"
	value "$file" name
	name=$VALUE
	case "$name" in "" | */* | *\\*) bad "line $2: it names no file" ;; esac
	value "$text" escrow
	escrow=$VALUE
	value "$file" sha256
	echo "$VALUE $name" >> "$tmp/named"
	# What was given up need not be there.
	case "$1" in
	escrow | seal) [ -e "$name" ] || ! grep -a -q "\"event\":\"\(void\|retire\)\",\"data\":{\"escrow\":\"$escrow\"" transcript*.jsonl || return 0 ;;
	esac
	is "$name" "$VALUE"
	echo "$name" >> "$tmp/vouched"
	[ "$1" != escrow ] || return 0
	[ "$(field plan_sha256 "$name")" = "$plan" ] || bad "$name: of another plan"
	gate close > "$tmp/signers"
	case "$1" in
	seal)
		value "$text" sha256
		[ "$(field escrow_sha256 "$name")" = "$VALUE" ] || bad "$name: on another escrow"
		grep -q -x "$VALUE $escrow.escrow" "$tmp/named" || bad "$name: on an escrow that no line names"
		bound "$name" "$2"
		signed "$name" keymat-seal@v1
		;;
	bundle)
		sed -n 's/^role \(.*\) fetcher$/\1/p' "$tmp/people" > "$tmp/signers"
		parts "$name"
		signed "$name" keymat-bundle@v1
		;;
	wrap)
		value "$text" bundle
		[ "$(field bundle_sha256 "$name")" = "$VALUE" ] || bad "$name: wrapped with another bundle"
		grep -q "^$VALUE bundle-" "$tmp/named" || bad "$name: wrapped with a bundle that no line names"
		sealed "$name" "seal-$escrow.json" "$escrow.escrow"
		bound "$name" "$2"
		parts "$name"
		signed "$name" keymat-package@v1
		;;
	esac
}

# parts FILE: the files that it names
parts() {
	sed -n 's/^ *"name": "\([^"/]*\)",*$/\1/p' "$1" > "$tmp/names"
	sed -n 's/^ *"sha256": "\([0-9a-f]*\)",*$/\1/p' "$1" > "$tmp/sums"
	[ -s "$tmp/names" ] && [ "$(wc -l < "$tmp/names")" = "$(wc -l < "$tmp/sums")" ] || bad "$1: it names no files"
	paste -d ' ' "$tmp/sums" "$tmp/names" > "$tmp/parts"
	while read -r sum part; do
		is "$part" "$sum"
		echo "$part" >> "$tmp/vouched"
	done < "$tmp/parts"
}

# bound FILE LINE: it names a line of the record before its own
bound() {
	head -n "$2" "$tmp/prevs" | grep -q -x "$(field transcript_sha256 "$1")" || bad "$1: it binds no line of the record before its own"
}

# sealed PACKAGE SEAL ESCROW: the seal is that of the escrow, perhaps of an earlier ceremony
sealed() {
	sum=$(field seal_sha256 "$1")
	if grep -q " $2\$" "$tmp/named"; then
		grep -q -x "$sum $2" "$tmp/named" || bad "$1: it binds another seal record"
	elif [ -e "$2" ]; then
		is "$2" "$sum"
		echo "$2" >> "$tmp/vouched"
		[ ! -e "$3" ] || { is "$3" "$(field escrow_sha256 "$2")" && echo "$3" >> "$tmp/vouched"; }
	fi
}

# noted LINE: files that people noted, where they are in the folder
noted() {
	rest=$1
	while [ "$rest" != "${rest#*\{\"name\":}" ]; do
		rest=${rest#*\{\"name\":}
		value "\"name\":$rest" name
		name=$VALUE
		case "$name" in */* | *\\*) continue ;; esac
		if [ -f "$name" ]; then
			value "$rest" sha256
			is "$name" "$VALUE"
			echo "$name" >> "$tmp/vouched"
		fi
	done
}

# submitted NUMBER LINE: what was sent is what was wrapped
submitted() {
	value "$2" target
	target=$VALUE
	value "$2" package
	package=$(sed -n "s/^$VALUE package-\([0-9]*\)\.json\$/\1/p" "$tmp/named")
	[ -n "$package" ] || bad "line $1: it is of a package that no line names"
	value "$2" wrapped
	[ "$(field encrypted_key_material_sha256 "wrapped-$package-$target.json")" = "$VALUE" ] || bad "line $1: what was sent to $target is not what was wrapped for it"
}

[ -f plan.yaml ] || bad "plan.yaml: missing"
plan=$(sha256sum < plan.yaml | cut -c 1-64)
people > "$tmp/people"
all=keymat-plan@v1,keymat-seal@v1,keymat-bundle@v1,keymat-package@v1,keymat-transcript@v1
keys "$all" > "$tmp/keys"
[ -s "$tmp/keys" ] || bad "plan.yaml: this script finds no keys in it"
gate plan > "$tmp/signers"
echo plan.yaml > "$tmp/vouched"
signed plan.yaml keymat-plan@v1

records=0
end=
closed=yes
file=transcript.jsonl
head=head.json
[ -e "$file" ] || bad "$file: missing"
while [ -e "$file" ]; do
	[ "$closed" = yes ] || bad "$file: the record before it is not closed"
	records=$((records + 1))
	record "$file" "$head" "$records"
	n=0
	while IFS= read -r text; do
		n=$((n + 1))
		case "$text" in
		*'"event":"escrow"'*) artefact escrow "$n" "$text" ;;
		*'"event":"seal"'*) artefact seal "$n" "$text" ;;
		*'"event":"bundle"'*) artefact bundle "$n" "$text" ;;
		*'"event":"wrap"'*) artefact wrap "$n" "$text" ;;
		*'"event":"note"'*) noted "$text" ;;
		*'"event":"submit"'*) submitted "$n" "$text" ;;
		esac
	done < "$tmp/lines"
	file=transcript-$((records + 1)).jsonl
	head=head-$((records + 1)).json
done
if [ "$records" -gt 1 ] || [ "$closed" = yes ] || [ -e allowed_signers ]; then
	keys "$all" | cmp -s - allowed_signers || bad "allowed_signers: not the people and keys of the plan"
fi
echo allowed_signers >> "$tmp/vouched"
if [ -e gap.manifest ]; then
	[ "$(field plan_sha256 gap.manifest)" = "$plan" ] || bad "gap.manifest: of another plan"
	parts gap.manifest
	for name in * .*; do
		case "$name" in . | .. | '*' | '.*' | gap.manifest) continue ;; esac
		grep -q -x -F "$name" "$tmp/names" || bad "gap.manifest: it does not name $name"
	done
	echo gap.manifest >> "$tmp/vouched"
fi
for name in *; do
	case "$name" in
	*.sig) grep -q -x -F "${name%.*.sig}" "$tmp/vouched" || echo "note: nothing vouches for $name" ;;
	*) grep -q -x -F "$name" "$tmp/vouched" || case "$name" in
		transcript-[1-9]*.jsonl | head-[1-9]*.json | head.json) bad "$name: the record before it, or its own, is missing" ;;
		*) echo "note: nothing vouches for $name" ;;
		esac ;;
	esac
done
signatures
[ "$closed" = yes ] || echo "note: the last record is not closed, and lines may be missing at its end"
echo "the records (1 to $records) are whole, and signed by those of the plan; every file that they name is the one they name"
