"""Real web servers on loopback, each with the files of one folder and the configuration that a deploy wrote."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolkit.deploy.hosts.form import HostForm


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Said:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(port: int, url: str) -> Said:
    """GET an encoded path; redirects are not followed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", url)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Said(answer.status, headers, answer.read())
    finally:
        connection.close()


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[int]:
    """A server, until the block ends."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for _ in range(200):
            assert process.poll() is None, process.communicate()[0]
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def nginx(root: Path, form: HostForm, scratch: Path) -> Iterator[int]:
    """nginx with ``maps.conf`` and ``site.conf``."""
    port = free_port()
    for name, text in form.config.items():
        (scratch / name).write_text(text)
    root.chmod(0o755)
    (scratch / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid {scratch}/pid; error_log {scratch}/error.log; user root;
        events {{ worker_connections 256; }}
        http {{ access_log off;
            client_body_temp_path {scratch}/a; proxy_temp_path {scratch}/b; fastcgi_temp_path {scratch}/c;
            uwsgi_temp_path {scratch}/d; scgi_temp_path {scratch}/e;
            include {scratch}/maps.conf;
            server {{ listen 127.0.0.1:{port}; root {root}; include {scratch}/site.conf; }} }}"""
    )
    with running([shutil.which("nginx") or "nginx", "-c", str(scratch / "nginx.conf"), "-e", "stderr"], port):
        yield port


@contextmanager
def apache(root: Path, form: HostForm, scratch: Path) -> Iterator[int]:
    """Apache with the ``.htaccess`` that is among the files."""
    port = free_port()
    if not any(root.rglob(".htaccess")):
        (root / ".htaccess").write_bytes(form.files[".htaccess"])
    modules = Path("/usr/lib/apache2/modules")
    names = "mpm_event authz_core mime dir headers rewrite alias authn_core"
    loads = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in names.split())
    (scratch / "mime.types").write_text("")
    (scratch / "apache.conf").write_text(
        f"""{loads}ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {scratch}/pid\nErrorLog {scratch}/error.log
        User www-data\nGroup www-data
        TypesConfig {scratch}/mime.types\nDefaultRuntimeDir {scratch}\nDocumentRoot {root}
        <Directory {root}>\nAllowOverride All\nRequire all granted\nOptions +FollowSymLinks\n</Directory>\n"""
    )
    command = ["/usr/sbin/apache2", "-X", "-f", str(scratch / "apache.conf")]
    with running(command, port):
        yield port


@contextmanager
def caddy(root: Path, form: HostForm, scratch: Path) -> Iterator[int]:
    """Caddy with ``site.caddy``."""
    port = free_port()
    (scratch / "site.caddy").write_text(form.config["site.caddy"])
    (scratch / "Caddyfile").write_text(
        f"{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n root * {root}\n import site.caddy\n}}\n"
    )
    home = {"HOME": str(scratch), "XDG_DATA_HOME": str(scratch), "XDG_CONFIG_HOME": str(scratch)}
    with running(["caddy", "run", "--config", str(scratch / "Caddyfile"), "--adapter", "caddyfile"], port, **home):
        yield port
