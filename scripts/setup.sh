# shellcheck shell=bash
# Set-up shared by demo.sh and test.sh, which source it and call `prepare`.
# It works with the bash 3.2 of macOS.

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv # always this one, by its path: another may be activated

# Ctrl-C must end the script even where the interrupted command carries on.
trap 'exit 130' INT
trap 'exit 143' TERM

# Say what is wrong, each argument on a line of its own, and stop.
fail() {
  printf '\nnapari-usm: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
  exit 1
}

# Bring everything that napari-usm needs. $1 is the extra: all or test.
# What is there already is left alone, so the second time is quick and offline.
prepare() {
  local extra=$1 packages
  if [ "$(uname -s)" = Linux ]; then
    packages=$(missing_packages "$extra")
    if [ -n "$packages" ]; then
      # Unquoted: one word per package.
      # shellcheck disable=SC2086
      install_packages $packages
    fi
  fi
  install_plugin "$extra"
}

# --- System packages (Linux) -----------------------------------------------

# Print the first Python that is new enough and can make environments (Debian
# splits `ensurepip` off into python3-venv).
find_python() {
  local python
  for python in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$python" -c \
      'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
    then
      printf '%s\n' "$python"
      return
    fi
  done
  return 1
}

# What Qt's wheels load from the system, and the Debian package that has it.
system_libraries='
  libEGL.so.1               libegl1
  libGL.so.1                libgl1
  libX11-xcb.so.1           libx11-xcb1
  libdbus-1.so.3            libdbus-1-3
  libfontconfig.so.1        libfontconfig1
  libglib-2.0.so.0          libglib2.0-0
  libxcb-cursor.so.0        libxcb-cursor0
  libxcb-icccm.so.4         libxcb-icccm4
  libxcb-image.so.0         libxcb-image0
  libxcb-keysyms.so.1       libxcb-keysyms1
  libxcb-randr.so.0         libxcb-randr0
  libxcb-render-util.so.0   libxcb-render-util0
  libxcb-shape.so.0         libxcb-shape0
  libxcb-xkb.so.1           libxcb-xkb1
  libxkbcommon-x11.so.0     libxkbcommon-x11-0
'

# Print the Debian packages that are missing. Looks for what they hold, not for
# their names: those differ between systems, and others than apt may bring it.
missing_packages() {
  local extra=$1 ldconfig known soname package missing=''

  if ! find_python >/dev/null; then
    if ! [ -x /usr/bin/python3 ] ||
      /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'
    then
      missing='python3 python3-venv'
    else
      missing='python3.11 python3.11-venv' # beside an older python3
    fi
  fi

  # Ordinary users may lack /sbin in PATH. Without ldconfig nothing is known.
  ldconfig=$(PATH=$PATH:/usr/sbin:/sbin command -v ldconfig || true)
  if [ -n "$ldconfig" ]; then
    known=$("$ldconfig" -p)
    while read -r soname package; do
      case $known in
        *"$soname ("*) ;;
        *) missing="$missing $package" ;;
      esac
    done <<<"$(printf '%s' "$system_libraries" | sed '/^ *$/d')"
  fi

  # Tests always get a screen of their own; the demo needs one if there is none.
  if [ "$extra" = test ] || [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    command -v xvfb-run >/dev/null || missing="$missing xvfb"
    command -v xauth >/dev/null || missing="$missing xauth"
  fi

  # shellcheck disable=SC2086
  echo $missing
}

# Install Debian packages, if that is possible without asking for a password.
install_packages() {
  local as_root
  if ! command -v apt-get >/dev/null; then
    fail "this system lacks what Debian has in these packages: $*" \
      "Please install it and run this again."
  elif [ "$(id -u)" = 0 ]; then
    as_root=(env)
  elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
  else
    fail "some system packages are missing. Please run this first:" \
      "sudo apt-get install -y --no-install-recommends $*"
  fi

  printf 'napari-usm: installing system packages: %s\n' "$*"
  # One broken package source need not stop us: the install below will tell.
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get update || true
  # A system that has just started may be busy with updates of its own: wait.
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get \
    -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@" ||
    fail "apt-get could not install: $*"
}

# --- The plugin in its environment -----------------------------------------

# Print what an install depends on: if this is unchanged, so is the install.
fingerprint() {
  (cd "$root" && cksum pyproject.toml hatch_build.py)
  printf '%s\n' "$root" # an editable install holds the path
  "$venv/bin/python" -c 'import pip, sys; print(sys.version_info[:2])' 2>/dev/null
}

# Install the plugin, editable, with the extra $1, into the environment.
install_plugin() {
  local extra=$1 python stamp=$venv/napari-usm.installed
  local unfinished=$venv/napari-usm.unfinished state

  # The link that the editable install makes may have been cleaned away.
  if [ -f "$stamp" ] && ! [ -e "$unfinished" ] && state=$(fingerprint) &&
    [ -e "$root/src/napari_usm/napari.yaml" ]
  then
    # The extra `test` holds `all`.
    case $(cat "$stamp") in
      "test $state" | "$extra $state") return ;;
    esac
  fi

  # What a killed run left behind may be incomplete in ways that pip does not
  # see; nor does an environment survive the end of its Python.
  if [ -e "$unfinished" ] || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(find_python) || fail "Python 3.11 or newer is needed, but not found."
    printf 'napari-usm: making the environment %s\n' "$venv"
    rm -rf "$venv"
    mkdir "$venv"
    : >"$unfinished"
    "$python" -m venv "$venv"
  fi

  printf 'napari-usm: installing napari-usm[%s]; the first time takes minutes\n' "$extra"
  : >"$unfinished"
  if ! "$venv/bin/python" -m pip install -e "${root}[$extra]"; then
    rm -f "$unfinished" # pip itself takes back what fails: all is as before
    fail "pip could not install the plugin; the reason stands above."
  fi
  printf '%s %s' "$extra" "$(fingerprint)" >"$stamp"
  rm -f "$unfinished"
}
