#!/usr/bin/env bash
# Installs the Debian packages of what is missing among: venv luacheck redis mmdebstrap postgresql espeak-ng
# sipp tcpdump.
# It looks for the programs, not the packages: what came from elsewhere is as good.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/say.sh

readonly POSTGRESQL=/usr/lib/postgresql/15/bin

there() {
    case $1 in
        venv) find_python >/dev/null ;;
        redis) command -v redis-server >/dev/null ;;
        sipp | tcpdump | mmdebstrap | espeak-ng | luacheck) command -v "$1" >/dev/null ;;
        postgresql) [[ -x $POSTGRESQL/initdb || ${DATABASE_URL:-} == postgres* ]] ;;
        *) stop "setup/packages.sh knows no $1" ;;
    esac
}

package() {
    case $1 in
        venv) echo python3-venv ;;
        redis) echo redis-server ;;
        luacheck) echo lua-check ;;
        sipp) echo sip-tester ;;
        postgresql) echo postgresql-15 ;;
        *) echo "$1" ;;
    esac
}

# Sets `as_root`: how a command is run by root.
become_root() {
    as_root=()
    [[ $(id -u) != 0 ]] || return 0
    local remedy="ask an administrator for: apt-get install ${packages[*]}"
    command -v sudo >/dev/null || stop "${packages[*]} must be installed, but you are not root and there is no sudo; $remedy"
    as_root=(sudo)
    sudo -n true 2>/dev/null && return
    [[ -t 0 ]] && printf '\nsudo will ask for your password, to install %s\n' "${packages[*]}" && sudo -v && return
    stop "${packages[*]} must be installed, but sudo does not let you; $remedy"
}

# Debian starts the services that it installs; ours run only with the hotline. These stand-ins are found
# before invoke-rc.d and deb-systemd-invoke by the packages' scripts, and by nobody else.
install() {
    local stand_ins
    stand_ins=$(mktemp -d)
    chmod 755 "$stand_ins"
    ln -s /bin/true "$stand_ins/invoke-rc.d"
    ln -s /bin/true "$stand_ins/deb-systemd-invoke"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get
        -o DPkg::Lock::Timeout=120 -o DPkg::Path="$stand_ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        -o Dpkg::Use-Pty=0 -o APT::Install-Recommends=false)
    # An update with one broken source among many is good enough when the packages are found.
    quietly "${apt[@]}" update || true
    local installed=0
    quietly "${apt[@]}" install -y "${packages[@]}" || installed=$?
    rm -rf "$stand_ins"
    return "$installed"
}

# The services that only our installing would bring: nobody here uses them.
new_services() {
    local unit
    for unit in redis-server postgresql; do
        [[ " ${packages[*]} " != *" $unit"* || -e /lib/systemd/system/$unit.service ]] || echo "$unit"
    done
}

# Nor are they started with the machine, unless its administrator enables them.
disable() {
    (($#)) && command -v systemctl >/dev/null || return 0
    quietly "${as_root[@]}" systemctl disable "$@" || true
}

# A Python that is there and too old: what Debian would install beside it is no newer.
require_python() {
    local python=${PYTHON:-python3} version
    if ! command -v "$python" >/dev/null; then
        [[ -z ${PYTHON:-} ]] || stop "PYTHON=$PYTHON is no program; give the path of a Python $OLDEST_PYTHON or newer"
        return 0
    fi
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [[ $(printf '%s\n' $OLDEST_PYTHON "$version" | sort -V | head -n 1) == "$OLDEST_PYTHON" ]] ||
        stop "Python $version is too old, $OLDEST_PYTHON or newer is needed; Debian 12 has it, or name yours with PYTHON=/path/to/python3"
}

require_redis_7() {
    local version
    version=$(redis-server --version | sed -nE 's/.* v=([0-9.]+).*/\1/p')
    ((${version%%.*} >= 7)) || stop "redis-server $version is too old, 7.0 or newer is needed; Debian 12 has it"
}

step "Debian packages"
missing=() packages=()
for what in "$@"; do
    there "$what" || { missing+=("$what") && packages+=("$(package "$what")"); }
done
if ((${#missing[@]})); then
    [[ " ${missing[*]} " != *" venv "* ]] || require_python
    command -v apt-get >/dev/null ||
        stop "${packages[*]} must be installed, but this machine has no apt-get; install them your system's way, or use Debian 12"
    become_root
    require_space 400 "${packages[*]}" /usr
    mapfile -t services < <(new_services)
    log_to packages
    doing "installing ${packages[*]}"
    if ! install; then
        ! network_failed || stop "the servers of Debian's packages cannot be reached; check the network and http_proxy, then run this again"
        stop "apt-get could not install ${packages[*]}; the lines above say why"
    fi
    disable "${services[@]}"
    for what in "${missing[@]}"; do
        there "$what" || stop "$(package "$what") is installed and still there is no usable $what; Debian 12 has all that is needed"
    done
fi
[[ " $* " != *" redis "* ]] || require_redis_7
done_step "$( ((${#missing[@]})) && echo installed || echo there)"
