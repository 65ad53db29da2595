#!/bin/sh
# Checks the record of a key ceremony without keymat: the chain of its lines, the
# statement that was signed, and all signatures that plan and record ask for.
# It takes sha256sum, ssh-keygen, and the file allowed_signers, whose keys have to
# be compared with those known from elsewhere.
#
#     sh verify.sh FOLDER
set -eu
export LC_ALL=C
cd "$1"

bad() { echo "$*"; exit 1; }
line() { sed -n "$1p" transcript.jsonl; }
digest() { tr -d '\n' | sha256sum | cut -c 1-64; }
member() { grep -a -o "\"$1\":$2" | head -n 1 | cut -d : -f 2-; }
names() { member "$1" '\[[^]]*\]' | tr -c 'a-z0-9-' ' '; }
signed() { # by whom, in which namespace, what
	ssh-keygen -Y verify -f allowed_signers -I "$1" -n "$2" -s "$3.$1.sig" < "$3" > /dev/null 2>&1 ||
		bad "$3: not signed by $1"
}

[ -s transcript.jsonl ] || bad "the record is empty"
[ "$(tail -c 1 transcript.jsonl | od -A n -t x1 | tr -d ' ')" = 0a ] || bad "the last line is cut off"
lines=$(wc -l < transcript.jsonl | tr -d ' ')
want=0000000000000000000000000000000000000000000000000000000000000000
# Lines that were cut off, by a power cut say, do not count. A later one tells of
# them, and binds the line before them in their place.
void=" "
for n in $(grep -a -n '"event":"resume".*}}$' transcript.jsonl | cut -d : -f 1); do
	first=$((n - $(line "$n" | member torn_lines '[0-9]*')))
	[ "$first" -gt 1 ] &&
		[ "$(line "$n" | member torn_sha256 '"[0-9a-f]*"')" = "\"$(sed -n "$first,$((n - 1))p" transcript.jsonl | head -c -1 | sha256sum | cut -c 1-64)\"" ] &&
		[ "$(line "$n" | member after '"[0-9a-f]*"')" = "\"$(line $((first - 1)) | digest)\"" ] ||
		bad "line $n: those before it are not the ones that were cut off"
	void="$void$(seq -s ' ' "$first" $((n - 1))) "
done

n=1
while [ "$n" -le "$lines" ]; do
	case "$void" in
	*" $n "*) ;;
	*)
		[ "$(line "$n" | member prev '"[0-9a-f]*"')" = "\"$want\"" ] || bad "line $n: prev is not the digest of line $((n - 1))"
		;;
	esac
	want=$(line "$n" | digest)
	n=$((n + 1))
done
line "$lines" | grep -a -q '"event":"close"' || bad "line $lines: the record is not closed"

ceremony=$(line 1 | member ceremony '"[a-z0-9-]*"')
printf '{"kind":"keymat/head","version":1,"ceremony":%s,"lines":%s,"head":"%s"}\n' "$ceremony" "$lines" "$want" |
	cmp -s - head.json || bad "head.json is not of this record: its last line was changed, or lines are missing"
[ "$(line 1 | member plan_sha256 '"[0-9a-f]*"')" = "\"$(sha256sum < plan.yaml | cut -c 1-64)\"" ] ||
	bad "plan.yaml is not the plan of this record"

for who in $(line 1 | names approvers); do signed "$who" keymat-plan@v1 plan.yaml; done
for who in $(line "$lines" | names signers); do signed "$who" keymat-transcript@v1 head.json; done
echo "the record of $lines lines is whole, and signed by $(line "$lines" | names signers)"
