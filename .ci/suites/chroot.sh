#!/usr/bin/env bash
# Install Debian sid with its Python into ROOT, and run the suite of TREE there.
#
#   unshare --mount --propagation private bash chroot.sh ROOT TREE MIRROR
set -euo pipefail
root=$1 tree=$2 mirror=$3

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates sid "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log"; exit 1; }
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" # with an authority of this network's, if there is one
mkdir "$root/suite"
cp -a "$tree/." "$root/suite/"
# pip's lists of places are files of this machine.
env -u PIP_FIND_LINKS -u PIP_CONFIG_FILE -u PYTHONPATH PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root CI=true PYTHONUTF8=1 \
  /usr/sbin/chroot "$root" bash -euo pipefail -c '
  cd /suite
  python3 -c "import sys; print(sys.version); assert sys.version_info >= (3, 14)"
  python3 -m venv /venv
  /venv/bin/pip install -q -e ".[test]"
  /venv/bin/python -m pytest -q -m "" -p no:cacheprovider --junitxml=outcomes.xml'
