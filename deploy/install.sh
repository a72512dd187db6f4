#!/usr/bin/env bash
# Installs margin-monitor from this checkout as a systemd service. Run it as root; running it
# again updates the program and leaves config, secrets and state alone.
set -euo pipefail

here="$(cd "$(dirname "$0")/.." && pwd)"
prefix="${PREFIX:-/opt/margin-monitor}"
config="/etc/margin-monitor"
unit="/etc/systemd/system/margin-monitor.service"

[ "$(id -u)" -eq 0 ] || { echo "run this as root: it writes to $prefix, $config and $unit" >&2; exit 1; }
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
ln -sf "$bin/margin-monitor" /usr/local/bin/margin-monitor

install -d -m 0755 "$config"
install -d -m 0700 "$config/credentials"
if [ ! -e "$config/margin-monitor.toml" ]; then
  install -m 0644 "$here/config/margin-monitor.example.toml" "$config/margin-monitor.toml"
  echo "wrote $config/margin-monitor.toml: edit it, and put each secret into $config/credentials/NAME"
fi
if [ -d /etc/systemd/system ]; then
  sed "s|/opt/margin-monitor|$prefix|g" "$here/systemd/margin-monitor.service" >"$unit"
  command -v systemctl >/dev/null && systemctl daemon-reload || true
fi
"$bin/margin-monitor" --version
echo "next: margin-monitor check --send-test, then systemctl enable --now margin-monitor"
