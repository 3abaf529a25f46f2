"""A mailbox of mails over sockets: as much of IMAP4rev1 as a client needs that looks for unseen mails and flags them."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Mailbox:
    """Mails by number, with their flags."""

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.password = "segreta"
        self.connected = 0

    def put(self, mail: bytes) -> int:
        """Has a mail arrive; returns its number."""
        number = len(self.mails) + 1
        self.mails[number], self.flags[number] = mail, set()
        return number


@contextmanager
def serve(box: Mailbox) -> Iterator[int]:
    """The port at which the mailbox can be reached."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            box.connected += 1
            try:
                self._talk()
            finally:
                box.connected -= 1

        def _talk(self) -> None:
            self._say("* OK ready")
            for line in self.rfile:
                tag, _, asked = line.decode().strip().partition(" ")
                command = asked.upper()
                done = "OK done"
                if command.startswith("CAPABILITY"):
                    self._say("* CAPABILITY IMAP4rev1")
                elif command.startswith("LOGIN") and box.password not in asked:
                    done = "NO wrong password"
                elif command.startswith(("SELECT", "EXAMINE")):
                    self._say(f"* {len(box.mails)} EXISTS")
                elif command.startswith("UID SEARCH"):
                    unseen = [str(number) for number, flags in box.flags.items() if "\\Seen" not in flags]
                    self._say(" ".join(["* SEARCH", *unseen]))
                elif command.startswith("UID FETCH"):
                    for number in map(int, re.findall(r"\d+", asked.split(" ")[2])):
                        flags, mail = " ".join(box.flags[number]), box.mails[number]
                        self._say(
                            f"* {number} FETCH (UID {number} FLAGS ({flags}) RFC822.SIZE {len(mail)} BODY[] {{{len(mail)}}}"
                        )
                        self.wfile.write(mail + b")\r\n")
                elif command.startswith("UID STORE"):
                    for number in map(int, re.findall(r"\d+", asked.split(" ")[2])):
                        box.flags[number] |= set(re.findall(r"\\\w+", asked))
                elif command.startswith("LOGOUT"):
                    self._say("* BYE", f"{tag} OK")
                    return
                self._say(f"{tag} {done}")

        def _say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close = True, False  # a client that stays must not keep the tests

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
