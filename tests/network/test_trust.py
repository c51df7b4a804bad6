from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

import pytest

from pinch_tui.errors import ConfigError
from pinch_tui.network import trust, way


def test_the_systems_store_is_trusted_whatever_the_variables_name(tmp_path: Path) -> None:
    plain = trust.context({})
    assert plain.verify_mode is ssl.CERT_REQUIRED and plain.check_hostname
    if not plain.get_ca_certs():
        pytest.skip("this system keeps no bundle of certificates")
    one = tmp_path / "corp.pem"
    one.write_text(ssl.DER_cert_to_PEM_cert(plain.get_ca_certs(binary_form=True)[0]))
    both = trust.context({"SSL_CERT_FILE": str(one), "SSL_CERT_DIR": str(tmp_path)})
    assert len(both.get_ca_certs()) >= len(plain.get_ca_certs())
    assert trust.context({}) is plain  # read once


def test_a_variable_that_names_nothing_is_said(tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for env, words in (
        (
            {"SSL_CERT_FILE": "/nowhere.pem"},
            "SSL_CERT_FILE names /nowhere.pem, which cannot be read: it does not exist",
        ),
        ({"SSL_CERT_FILE": str(text)}, "which holds no certificate"),
        ({"SSL_CERT_FILE": str(tmp_path)}, "which is not a regular file"),
        ({"SSL_CERT_DIR": str(text)}, "which is not a folder"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            way.find("https://service.example", env)
        assert "or unset it" in caught.value.hint
    assert way.find("http://127.0.0.1:8", {"SSL_CERT_FILE": "/nowhere.pem"}).proxy is None


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes of POSIX")
def test_a_pipe_that_nobody_writes_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem")
    with pytest.raises(ConfigError, match="which is not a regular file"):
        way.find("https://service.example", {"SSL_CERT_FILE": str(tmp_path / "pipe.pem")})
