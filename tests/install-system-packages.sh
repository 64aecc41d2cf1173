#!/bin/sh
# Installs the Debian packages that groups of tests need, where this account may. Where it may not,
# those groups are skipped by name, and the summary says so.
set -eu
wanted=""
need() { command -v "$1" >/dev/null 2>&1 || wanted="$wanted $2"; }
need chromium-headless-shell chromium-headless-shell
need gpg gnupg
need git git
need node nodejs
need npm npm
need rsync rsync
need /usr/sbin/apache2 apache2
need java openjdk-17-jre-headless
need R "r-base-core r-cran-irkernel r-cran-epiestim"
need /usr/sbin/munged munge
need /usr/sbin/slurmd slurm-wlm
[ -d /usr/lib/R/site-library/lme4 ] || wanted="$wanted r-cran-lme4"
[ -d /usr/lib/R/site-library/surveillance ] || wanted="$wanted r-cran-surveillance"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed, so their tests are skipped:$wanted"
    exit 0
fi
echo "Installing for the tests:$wanted"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of names
apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends $wanted >/dev/null
