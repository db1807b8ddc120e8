"""Fetches the mail of some mailboxes with the python package O365, the way its documentation shows it.

    o365_fetch.py TENANT CLIENT SECRET DIR MAILBOX...

Every folder of a mailbox, its messages with get_messages(limit=None), which asks for 999 at a time, and every message with
save_as_eml into one file. A message that lies in another folder than the one that lists it, as search folders do, is left to
that folder. By default the package waits 200 ms between two requests, against throttling; here it does not wait.
"""

import pathlib
import sys

from O365 import Account
from O365.utils.token import MemoryTokenBackend


def folders(parent):
    for folder in parent.get_folders():
        yield folder
        yield from folders(folder)


def main():
    tenant, client, secret, target, *addresses = sys.argv[1:]
    account = Account(
        (client, secret), auth_flow_type="credentials", tenant_id=tenant, token_backend=MemoryTokenBackend(), requests_delay=0
    )
    if not account.authenticate():
        raise SystemExit("not authenticated")
    number = 0
    for address in addresses:
        for folder in folders(account.mailbox(address)):
            for message in folder.get_messages(limit=None):
                if message.folder_id != folder.folder_id:
                    continue
                number += 1
                if not message.save_as_eml(pathlib.Path(target, f"{number}.eml")):
                    raise SystemExit(f"no MIME of message {number}")


if __name__ == "__main__":
    main()
