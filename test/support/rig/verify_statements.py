"""Verifies DSSE envelopes of in-toto statements with securesystemslib and in-toto-attestation.

Standard input: {"keys": [{"keyid", "public_key"}], "lines": [...]}, keys that are trusted and one
envelope a line. Standard output: for each line its predicate type, or null when it is refused.
"""

import json
import sys

import in_toto_attestation.v1.statement_pb2 as statement_pb
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

PREDICATES = {
    "https://in-toto.io/attestation/test-result/v0.1": test_result_pb2.TestResult,
    "https://slsa.dev/provenance/v1": provenance_pb2.Provenance,
    "https://slsa.dev/verification_summary/v1": vsa_pb2.VerificationSummary,
}


def verify(line, keys):
    envelope = Envelope.from_dict(json.loads(line))
    envelope.verify(keys, threshold=1)
    if envelope.payload_type != "application/vnd.in-toto+json":
        raise ValueError("not an in-toto statement")
    found = json_format.Parse(envelope.payload, statement_pb.Statement())
    statement = Statement.copy_from_pb(found)
    statement.validate()
    form = PREDICATES.get(found.predicate_type)
    if form is not None:
        predicate = json.loads(envelope.payload)["predicate"]
        levels = predicate.pop("verifiedLevels", [])
        # SLSA defines a list; this version of the library has a single text in its form of it.
        if not all(isinstance(level, str) for level in levels) or isinstance(levels, str):
            raise ValueError("verifiedLevels is not a list of texts")
        json_format.ParseDict(predicate, form(), ignore_unknown_fields=True)
    return found.predicate_type


def main():
    given = json.load(sys.stdin)
    keys = [
        SSlibKey.from_crypto(load_pem_public_key(key["public_key"].encode()), keyid=key["keyid"])
        for key in given["keys"]
    ]
    answers = []
    for line in given["lines"]:
        try:
            answers.append({"accepted": verify(line, keys)})
        except Exception as error:  # whatever the library raises is a refusal
            answers.append({"accepted": None, "why": f"{type(error).__name__}: {error}"})
    json.dump(answers, sys.stdout)


main()
