"""One side of TLS handshakes with the verification that ssl.create_default_context has since Python 3.13. It needs nothing
but the standard library. Each line of the input is

  about                 what this is: a JSON object
  accept FOLDER         one handshake as server, on the port that `about` names
  connect FOLDER PORT   one handshake as client

FOLDER holds tls.crt and tls.key of this side, and the ca.crt that it trusts. Each other answer is "ok SERIAL" with the
serial number of the peer's certificate, or why there was no handshake."""

import json
import socket
import ssl
import sys

STRICT = ssl.VERIFY_X509_STRICT
# Of 3.13 too; ssl has no name for it before 3.10.
PARTIAL_CHAIN = ssl.VERIFY_X509_PARTIAL_CHAIN
PATIENCE_SECONDS = 10

listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(PATIENCE_SECONDS)


def is_strict_by_default():
    return bool(ssl.create_default_context().verify_flags & STRICT)


def context_for(purpose, folder):
    context = ssl.create_default_context(purpose, cafile=f"{folder}/ca.crt")
    # A server asks for no certificate by default.
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= STRICT | PARTIAL_CHAIN
    context.load_cert_chain(f"{folder}/tls.crt", f"{folder}/tls.key")
    return context


def serial_of(connection):
    return connection.getpeercert()["serialNumber"].lower()


def accept(folder):
    context = context_for(ssl.Purpose.CLIENT_AUTH, folder)
    plain, _ = listener.accept()
    plain.settimeout(PATIENCE_SECONDS)
    with plain, context.wrap_socket(plain, server_side=True) as connection:
        serial = serial_of(connection)
        connection.sendall(serial.encode())
        return serial


def connect(folder, port):
    context = context_for(ssl.Purpose.SERVER_AUTH, folder)
    with socket.create_connection(("127.0.0.1", int(port)), PATIENCE_SECONDS) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            # Only an answer says that the server has taken this side's certificate.
            if not connection.recv(1):
                raise OSError("the server hung up")
            return serial_of(connection)


def about():
    return json.dumps({
        "python": sys.version.split()[0],
        "openssl": ssl.OPENSSL_VERSION,
        "strictByDefault": is_strict_by_default(),
        "port": listener.getsockname()[1],
    })


def main():
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            if command == "about":
                answer = about()
            else:
                answer = "ok " + {"accept": accept, "connect": connect}[command](*arguments)
        except OSError as error:
            answer = f"{type(error).__name__}: {error}".replace("\n", " ")
        print(answer, flush=True)


main()
