# shellcheck shell=bash
# What the scripts of this folder share; sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { echo "== $*"; }

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Whether version $1 is $2 or later.
at_least() {
    [[ "$(printf '%s\n%s\n' "$2" "${1#v}" | sort -V | head -n 1)" == "$2" ]]
}

# need PROGRAM OLDEST HOW-TO-GET-IT: the program is there and new enough. Says all that is wrong, and counts it in $missing.
missing=0
need() {
    local program=$1 oldest=$2 remedy=$3 version
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "${0##*/}: $program is not there: $remedy" >&2
        missing=$((missing + 1))
        return
    fi
    case $program in
        docker) version=$(docker version --format '{{.Server.Version}}' 2>/dev/null) || version='' ;;
        k3d) version=$(k3d version | sed -n 's/^k3d version v\{0,1\}\([0-9.]*\).*/\1/p') ;;
        helm) version=$(helm version --template '{{.Version}}') ;;
        kubectl) version=$(kubectl version --client -o yaml 2>/dev/null | sed -n 's/^  gitVersion: *v\{0,1\}//p' | head -n 1) ;;
        dotnet) version=$(dotnet --version 2>/dev/null) || version='' ;;
        *) version=$oldest ;;
    esac
    if [[ -z $version ]]; then
        echo "${0##*/}: $program does not answer: is it running, and may this user reach it?" >&2
        missing=$((missing + 1))
    elif ! at_least "$version" "$oldest"; then
        echo "${0##*/}: $program is $version and has to be $oldest or later: $remedy" >&2
        missing=$((missing + 1))
    fi
}

needed() {
    ((missing == 0)) || exit 1
}
