"""A machine that cannot be set up gets one sentence with the remedy, and keeps nothing half-done."""

from __future__ import annotations

import pytest

from tests.setup.machine import Machine

UNREACHABLE = "echo 'Temporary failure resolving the mirror'; exit 100"


def test_without_apt_get_it_names_what_to_install(machine: Machine) -> None:
    said = machine.run("setup/packages.sh", "venv", "redis", "mmdebstrap")
    assert said.exit_code == 1
    assert said.sentence == (
        "setup: redis-server mmdebstrap must be installed, but this machine has no apt-get; "
        "install them your system's way, or use Debian 12"
    )


def test_neither_root_nor_sudo(machine: Machine) -> None:
    machine.has("apt-get", "touch apt-was-run")
    machine.has("id", "echo 1000")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 1
    assert said.sentence.endswith("there is no sudo; ask an administrator for: apt-get install redis-server")
    assert machine.left() == set()


def test_a_sudo_that_refuses(machine: Machine) -> None:
    machine.has("apt-get", "touch apt-was-run")
    machine.has("id", "echo 1000")
    machine.has("sudo", "echo 'a password is required' >&2; exit 1")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 1
    assert said.sentence.endswith("sudo does not let you; ask an administrator for: apt-get install redis-server")
    assert machine.left() == set()


def test_what_is_missing_is_installed_through_sudo_and_its_service_is_not_started(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.has("sudo", '[[ $1 != -n ]] || shift; echo sudo "$@" >>sudo-ran; "$@"')
    redis = machine.has_redis()
    package = redis.rename(redis.with_name("package"))
    machine.has(
        "apt-get",
        f"""[[ $* == *" install -y "* ]] || exit 0
        for word in "$@"; do [[ $word != DPkg::Path=* ]] || path=${{word#*=}}; done
        mv {package} {redis}
        PATH=$path:$PATH invoke-rc.d redis-server start && PATH=$path:$PATH deb-systemd-invoke start redis-server""",
    )
    for starter in ("invoke-rc.d", "deb-systemd-invoke"):
        machine.has(starter, "touch started; exit 1")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 0, said.text
    ran = (machine.checkout / "sudo-ran").read_text()
    assert "install -y redis-server" in ran
    assert "postgresql" not in ran
    assert not (machine.checkout / "started").exists()


def test_debians_servers_out_of_reach(machine: Machine) -> None:
    machine.has("apt-get", UNREACHABLE)
    machine.has("id", "echo 0")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 1
    assert "servers of Debian's packages cannot be reached; check the network and http_proxy" in said.sentence


def test_a_package_that_apt_refuses_is_explained_by_its_own_words(machine: Machine) -> None:
    machine.has("apt-get", "echo 'E: Unable to locate package redis-server'; exit 100")
    machine.has("id", "echo 0")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 1
    assert "    E: Unable to locate package redis-server\n" in said.text
    assert "apt-get could not install redis-server" in said.sentence


def test_a_package_that_is_installed_but_brings_no_program(machine: Machine) -> None:
    machine.has("apt-get", "exit 0")
    machine.has("id", "echo 0")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 1
    assert "redis-server is installed and still there is no usable redis" in said.sentence


def test_an_old_redis(machine: Machine) -> None:
    machine.has_redis("6.0.16")
    said = machine.run("setup/packages.sh", "redis")
    assert said.exit_code == 1
    assert said.sentence == "setup: redis-server 6.0.16 is too old, 7.0 or newer is needed; Debian 12 has it"


def test_an_old_python_is_refused_before_anything_is_installed(machine: Machine) -> None:
    machine.has("apt-get", "touch apt-was-run")
    machine.has("python3", "[[ $2 == *ensurepip* ]] && exit 1; echo 3.9")
    said = machine.run("setup/packages.sh", "venv", "redis", PYTHON="python3")
    assert said.exit_code == 1
    assert said.sentence.startswith("setup: Python 3.9 is too old, 3.11 or newer is needed")
    assert machine.left() == set()


def test_a_python_that_does_not_exist(machine: Machine) -> None:
    said = machine.run("setup/packages.sh", "venv", PYTHON="/nowhere/python3")
    assert said.exit_code == 1
    assert "PYTHON=/nowhere/python3 is no program" in said.sentence


@pytest.mark.parametrize("script", ["python", "asterisk"])
def test_a_full_disk(machine: Machine, script: str) -> None:
    machine.has("df", "echo 'Filesystem 1M-blocks Used Available'; echo '/dev/sda 9000 8900 100 99% /'")
    machine.has("mmdebstrap", "touch mmdebstrap-was-run")
    machine.has("dpkg", "echo amd64")
    said = machine.run(f"setup/{script}.sh")
    assert said.exit_code == 1
    assert said.sentence.startswith("setup: only 100 MB free in ")
    assert "600 MB needed" in said.sentence
    assert machine.left() == set()


def test_the_python_index_out_of_reach_leaves_no_half_made_venv(machine: Machine) -> None:
    nowhere = "http://127.0.0.1:1/simple"
    said = machine.run("setup/python.sh", PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL=nowhere, PIP_RETRIES="1")
    assert said.exit_code == 1
    assert "the Python package index cannot be reached; check the network" in said.sentence
    assert machine.left() == set()


def test_a_new_enough_asterisk_on_path_is_used(machine: Machine) -> None:
    machine.has_asterisk("22.4.1")
    said = machine.run("setup/asterisk.sh")
    assert said.exit_code == 0
    assert f"22.4.1 at {machine.bin}/asterisk" in said.text
    assert machine.left() == set()


@pytest.mark.parametrize("version", ["20.6.0~dfsg+~cs6.13-2", "22.3.0", "certified/18.9-cert5", "GIT-master-1a2b3c"])
def test_an_old_asterisk_on_path_is_not_enough(machine: Machine, version: str) -> None:
    machine.has_asterisk(version)
    assert machine.run("setup/asterisk.sh", "there").exit_code == 1


def test_an_old_asterisk_and_no_way_to_get_another(machine: Machine) -> None:
    machine.has_asterisk("20.6.0")
    machine.has("dpkg", "echo amd64")
    said = machine.run("setup/asterisk.sh")
    assert said.exit_code == 1
    assert said.sentence == (
        f"setup: Asterisk 20.6.0 at {machine.bin}/asterisk is too old, and "
        "there is no mmdebstrap to get Debian's with; install it, or "
        "install Asterisk 22.4 or newer yourself, and have it on PATH or in HOTLINE_ASTERISK"
    )


def test_an_architecture_that_asterisk_is_not_had_for(machine: Machine) -> None:
    machine.has("mmdebstrap", "touch mmdebstrap-was-run")
    machine.has("dpkg", "echo armhf")
    said = machine.run("setup/asterisk.sh")
    assert said.exit_code == 1
    assert "runs here only on amd64 and arm64, and this is armhf; install Asterisk 22.4 or newer" in said.sentence
    assert machine.left() == set()


def test_debians_mirror_out_of_reach_leaves_nothing_unpacked(machine: Machine) -> None:
    machine.has_asterisk("20.6.0")
    machine.has("dpkg", "echo amd64")
    machine.has("mmdebstrap", f"mkdir -p .asterisk.new/usr; {UNREACHABLE}")
    said = machine.run("setup/asterisk.sh")
    assert said.exit_code == 1
    assert "Asterisk 20.6.0 at" in said.sentence
    assert "Debian's mirror cannot be reached" in said.sentence
    assert "HOTLINE_DEBIAN_MIRROR=URL" in said.sentence
    assert machine.left() == set()


def test_an_unpacked_asterisk_that_does_not_run_is_not_kept(machine: Machine) -> None:
    machine.has("dpkg", "echo amd64")
    machine.has("mmdebstrap", "mkdir -p .asterisk.new/usr/sbin; touch .asterisk.new/usr/sbin/asterisk")
    said = machine.run("setup/asterisk.sh")
    assert said.exit_code == 1
    assert "Debian's Asterisk does not run here; install Asterisk 22.4 or newer yourself" in said.sentence
    assert machine.left() == set()


def test_the_mirror_that_is_named_is_the_one_that_is_asked(machine: Machine) -> None:
    machine.has("dpkg", "echo amd64")
    machine.has("mmdebstrap", 'echo "$@" >asked; exit 1')
    machine.run("setup/asterisk.sh", HOTLINE_DEBIAN_MIRROR="http://127.0.0.1:1/debian")
    assert (machine.checkout / "asked").read_text().strip().endswith(" sid .asterisk.new http://127.0.0.1:1/debian")


def test_a_purpose_that_does_not_exist(machine: Machine) -> None:
    said = machine.run("setup/setup.sh", "everything")
    assert said.exit_code == 1
    assert said.sentence == "setup: setup.sh takes all, demo, test, bench or lint"


def test_a_step_that_fails_ends_the_set_up(machine: Machine) -> None:
    machine.has_asterisk("22.10.1")
    said = machine.run("setup/setup.sh", "demo")
    assert said.exit_code == 1
    assert said.text.startswith("[1/3] Debian packages …")
    assert "[2/3]" not in said.text
    assert machine.left() == set()
