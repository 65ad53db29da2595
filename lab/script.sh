#
# It needs openssl and the AWS CLI with credentials and a Region. It makes KMS
# keys, for which AWS charges until their deletion is scheduled; that is done at
# the end, also when something goes wrong. To play it without AWS, run
# `keymat mock serve` in another terminal and export the settings it prints.
#
# The material is a file while this runs, in a folder that only you can read.

set -eu
umask 077
export AWS_PAGER=

# aws before version 2.13 does not look for this setting itself.
aws() { command aws ${AWS_ENDPOINT_URL_KMS:+--endpoint-url "$AWS_ENDPOINT_URL_KMS"} "$@"; }

folder=$(mktemp -d)
keys=
ALIAS=
SERVER=
# tidy runs at the end, whatever happened.
tidy() {
	status=$?
	trap - EXIT
	[ -z "$ALIAS" ] || aws kms delete-alias --alias-name "$ALIAS"
	for key in $keys; do
		region=$(echo "$key" | cut -d: -f4)
		aws kms schedule-key-deletion --region "$region" --key-id "$key" --pending-window-in-days 7 \
			--query DeletionDate --output text >"$folder/tidy" 2>&1 || { cat "$folder/tidy" >&2; status=1; }
	done
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || :
	rm -rf "$folder"
	exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

# step says which step of the lesson comes next.
step() { printf '\n%s\n' "$1"; }

# made remembers a key to tidy up.
made() { keys="$1 $keys"; }

# refused CODE COMMAND... runs a command that KMS is to refuse with that code.
refused() {
	code=$1
	shift
	if "$@" >refusal.txt 2>&1; then
		echo "KMS did not refuse: $*" >&2
		exit 1
	fi
	if ! grep -Eo "\\($code\\)" refusal.txt >code.txt; then
		cat refusal.txt >&2
		exit 1
	fi
	echo "refused, as foretold: $(tr -d '()' <code.txt)"
}

cd "$folder"
