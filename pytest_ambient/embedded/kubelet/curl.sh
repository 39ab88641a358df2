#!/bin/sh
# The curl of a pod: the machine's own, bound to the pod's address and knowing the cluster's names.
# curl forgets its options at each --next, so the pod's file of options ends every operation.
curl='@CURL@'
case ${1-} in
  -V | --version | -h | --help | -M | --manual) exec "$curl" -q "$@" ;;
esac
# What names a place by itself has to be led to where that place is.
if [ -z "${AMBIENT_LED-}" ]; then
  case " $* ${http_proxy:+ -x }${all_proxy:+ -x }${ALL_PROXY:+ -x }" in
    *" --resolve "* | *" --connect-to "* | *" -x "* | *" --proxy "*) exec @LED@ curl "$0" "$@" ;;
  esac
fi
pod=$AMBIENT_CURLRC

# A file of options, with the pod's at the end of each of its operations; the last one gets them from the command line.
complete() {
  sed -e "s|^[[:space:]]*-*next[[:space:]]*\$|config = \"$pod\"\\
next|"
}

input=
given=$#
while [ "$given" -gt 0 ]; do
  given=$((given - 1))
  word=$1
  shift
  case $word in
    --next | -:)
      set -- "$@" -K "$pod" "$word"
      continue
      ;;
    -K | --config | -[sSqfgikLlNvIjG0346]*K)
      if [ "$given" -eq 0 ]; then
        set -- "$@" "$word"
        continue
      fi
      file=$1
      shift
      given=$((given - 1))
      case $word in -K | --config) ;; *) set -- "$@" "${word%K}" ;; esac
      ;;
    -K?*) file=${word#-K} ;;
    *)
      set -- "$@" "$word"
      continue
      ;;
  esac
  if [ "$file" = - ]; then
    input=yes
    set -- "$@" -K -
  else
    copy=$(mktemp) || exit 26
    complete <"$file" >"$copy" || exit 26
    set -- "$@" -K "$copy"
  fi
done
if [ -n "$input" ]; then
  complete | "$curl" -q "$@" -K "$pod"
else
  exec "$curl" -q "$@" -K "$pod"
fi
