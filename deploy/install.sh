#!/usr/bin/env bash
# Installs margin-monitor from this checkout as a systemd service. Run it as root; running it
# again updates the program and leaves config, secrets and state alone.
#
# PREFIX=/opt/margin-monitor is where the program goes. ROOT=/some/folder puts everything below
# that folder instead of /, for a trial: no root needed, and systemd is not told.
set -euo pipefail
umask 022

here="$(cd "$(dirname "$0")/.." && pwd)"
root="${ROOT:-}"
prefix="$root${PREFIX:-/opt/margin-monitor}"
config="$root/etc/margin-monitor"
units="$root/etc/systemd/system"
commands="$root/usr/local/bin"

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || { echo "run this as root: it writes to $prefix, $config and $units" >&2; exit 1; }
python="$(command -v python3.11 || command -v python3 || true)"
[ -n "$python" ] || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "Python 3.11 or newer is needed; $python is $("$python" -V)" >&2; exit 1; }
"$python" -c 'import venv, ensurepip' \
  || { echo "Python's venv module is needed (Debian: apt install python3-venv)" >&2; exit 1; }

install -d -m 0755 "$prefix"
[ -x "$prefix/.venv/bin/python" ] || "$python" -m venv "$prefix/.venv"
bin="$prefix/.venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.lock"
site="$("$bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')"
rm -rf "$site/monitor.new" && cp -r "$here/monitor" "$site/monitor.new"
rm -rf "$site/monitor" && mv "$site/monitor.new" "$site/monitor"
"$bin/python" -m compileall -q "$site/monitor"
cat >"$bin/margin-monitor" <<SH
#!$bin/python
from monitor.cli.main import main
main()
SH
chmod 0755 "$bin/margin-monitor"
install -d -m 0755 "$commands"
ln -sf "$bin/margin-monitor" "$commands/margin-monitor"

install -d -m 0755 "$config"
install -d -m 0700 "$config/credentials"
if [ ! -e "$config/margin-monitor.toml" ]; then
  install -m 0644 "$here/config/margin-monitor.example.toml" "$config/margin-monitor.toml"
  echo "wrote $config/margin-monitor.toml: edit it, and put each secret into $config/credentials/NAME"
fi
if [ -n "$root" ] || [ -d "$units" ]; then
  install -d -m 0755 "$units"
  sed "s|/opt/margin-monitor|$prefix|g" "$here/systemd/margin-monitor.service" \
    >"$units/margin-monitor.service"
fi
if [ -z "$root" ] && command -v systemctl >/dev/null; then
  systemctl daemon-reload || echo "systemd does not run here: start the program yourself" >&2
fi
"$bin/margin-monitor" --version
echo "next: edit $config/margin-monitor.toml, then"
echo "  CREDENTIALS_DIRECTORY=$config/credentials $commands/margin-monitor check --send-test"
echo "  systemctl enable --now margin-monitor"
