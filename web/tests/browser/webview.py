"""Opens a folder's page in a WebView of WebKitGTK, and prints the title that the page gives itself.

/usr/bin/python3 webview.py FOLDER ADDRESS

An address `app:///index.html` is answered from the folder by a scheme handler, as apps do it on iOS
(`WKURLSchemeHandler`); any other by whoever serves it.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gio, GLib, Gtk, WebKit2  # noqa: E402

TYPES = {".html": "text/html", ".js": "text/javascript", ".jpg": "image/jpeg"}


def serve(folder: Path) -> None:
    """Answers the addresses of the scheme `app` from a folder."""

    def answer(request: WebKit2.URISchemeRequest) -> None:
        path = folder / request.get_path().lstrip("/")
        if not path.is_file():
            return request.finish_error(GLib.Error(f"{path}: not found"))
        stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(path.read_bytes()))
        return request.finish(stream, path.stat().st_size, TYPES.get(path.suffix, "application/octet-stream"))

    context = WebKit2.WebContext.get_default()
    context.register_uri_scheme("app", answer)
    context.get_security_manager().register_uri_scheme_as_secure("app")
    context.get_security_manager().register_uri_scheme_as_cors_enabled("app")


def show(address: str) -> None:
    """Opens a page and prints its title once it has one."""
    view = WebKit2.WebView()
    window = Gtk.OffscreenWindow()
    window.add(view)
    window.show_all()

    def told(*_: object) -> None:
        if view.get_title():
            print(view.get_title())
            Gtk.main_quit()

    view.connect("notify::title", told)
    view.load_uri(address)
    Gtk.main()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
    show(sys.argv[2])
