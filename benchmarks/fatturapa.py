"""FatturaPA files a second, against bare `lxml.etree.parse` and against the a38 library over the same files.

Bare parsing reads each file and builds its tree, no more; ours also unwraps, checks, types and writes rows.
Rounds alternate, so that what else the machine does weighs on all alike; the best round of each counts.

    python benchmarks/fatturapa.py [files] [--signed]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from lxml import etree

from pcc_pipeline.formats.fatturapa.parse import parse_fatturapa
from pcc_pipeline.formats.source import Source

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<p:FatturaElettronica versione="FPA12" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" \
xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <FatturaElettronicaHeader>
    <DatiTrasmissione>
      <IdTrasmittente>
        <IdPaese>IT</IdPaese>
        <IdCodice>01234567897</IdCodice>
      </IdTrasmittente>
      <ProgressivoInvio>{n:05d}</ProgressivoInvio>
      <FormatoTrasmissione>FPA12</FormatoTrasmissione>
      <CodiceDestinatario>UF{office:04d}</CodiceDestinatario>
    </DatiTrasmissione>
    <CedentePrestatore>
      <DatiAnagrafici>
        <IdFiscaleIVA>
          <IdPaese>IT</IdPaese>
          <IdCodice>{vat:011d}</IdCodice>
        </IdFiscaleIVA>
        <CodiceFiscale>{vat:011d}</CodiceFiscale>
        <Anagrafica>
          <Denominazione>Forniture {office} S.r.l.</Denominazione>
        </Anagrafica>
        <RegimeFiscale>RF01</RegimeFiscale>
      </DatiAnagrafici>
      <Sede>
        <Indirizzo>Via dei Fornitori</Indirizzo>
        <NumeroCivico>12</NumeroCivico>
        <CAP>00100</CAP>
        <Comune>Roma</Comune>
        <Provincia>RM</Provincia>
        <Nazione>IT</Nazione>
      </Sede>
    </CedentePrestatore>
    <CessionarioCommittente>
      <DatiAnagrafici>
        <CodiceFiscale>80012345678</CodiceFiscale>
        <Anagrafica>
          <Denominazione>Comune di Prova</Denominazione>
        </Anagrafica>
      </DatiAnagrafici>
      <Sede>
        <Indirizzo>Piazza del Municipio 1</Indirizzo>
        <CAP>00100</CAP>
        <Comune>Roma</Comune>
        <Provincia>RM</Provincia>
        <Nazione>IT</Nazione>
      </Sede>
    </CessionarioCommittente>
  </FatturaElettronicaHeader>
  <FatturaElettronicaBody>
    <DatiGenerali>
      <DatiGeneraliDocumento>
        <TipoDocumento>TD01</TipoDocumento>
        <Divisa>EUR</Divisa>
        <Data>2025-{month:02d}-15</Data>
        <Numero>{n}/PA</Numero>
        <ImportoTotaleDocumento>{total}</ImportoTotaleDocumento>
        <Causale>Fornitura come da ordine del {month} del mese</Causale>
      </DatiGeneraliDocumento>
      <DatiOrdineAcquisto>
        <RiferimentoNumeroLinea>1</RiferimentoNumeroLinea>
        <IdDocumento>ORD-{n}</IdDocumento>
        <Data>2024-11-30</Data>
        <CodiceCUP>J31B2000{office:04d}</CodiceCUP>
        <CodiceCIG>Z{n:09d}</CodiceCIG>
      </DatiOrdineAcquisto>
      <DatiContratto>
        <IdDocumento>CTR-{n}</IdDocumento>
        <Data>2024-10-01</Data>
      </DatiContratto>
    </DatiGenerali>
    <DatiBeniServizi>
"""
LINE = """      <DettaglioLinee>
        <NumeroLinea>{i}</NumeroLinea>
        <Descrizione>Fornitura di materiale di consumo per uffici, lotto {lot}</Descrizione>
        <Quantita>{quantity}.00</Quantita>
        <UnitaMisura>PZ</UnitaMisura>
        <PrezzoUnitario>{price}</PrezzoUnitario>
        <PrezzoTotale>{amount}</PrezzoTotale>
        <AliquotaIVA>22.00</AliquotaIVA>
      </DettaglioLinee>
"""
TAIL = """      <DatiRiepilogo>
        <AliquotaIVA>22.00</AliquotaIVA>
        <ImponibileImporto>{taxable}</ImponibileImporto>
        <Imposta>{vat}</Imposta>
        <EsigibilitaIVA>S</EsigibilitaIVA>
        <RiferimentoNormativo>art. 17-ter DPR 633/1972</RiferimentoNormativo>
      </DatiRiepilogo>
    </DatiBeniServizi>
    <DatiPagamento>
      <CondizioniPagamento>TP02</CondizioniPagamento>
      <DettaglioPagamento>
        <ModalitaPagamento>MP05</ModalitaPagamento>
        <DataScadenzaPagamento>2026-01-{day:02d}</DataScadenzaPagamento>
        <ImportoPagamento>{taxable}</ImportoPagamento>
        <IBAN>IT60X0542811101000000123456</IBAN>
      </DettaglioPagamento>
    </DatiPagamento>
  </FatturaElettronicaBody>
</p:FatturaElettronica>
"""


class Nowhere:
    """Counts what it is given and keeps nothing."""

    def __init__(self) -> None:
        self.taken = self.refused = 0

    def rows(self, batch: pa.RecordBatch) -> None:
        self.taken += batch.num_rows

    def defects(self, batch: pa.RecordBatch) -> None:
        self.refused += batch.num_rows


def euro(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def write(folder: Path, files: int) -> list[Path]:
    """So many different invoices of seven lines, about six kilobytes each."""
    rng = random.Random(2025)
    paths = []
    for n in range(files):
        lines, taxable = [], 0
        for i in range(1, 8):
            price, quantity = rng.randrange(100, 99_999), rng.randrange(1, 9)
            taxable += price * quantity
            lines.append(LINE.format(i=i, lot=n, quantity=quantity, price=euro(price), amount=euro(price * quantity)))
        vat = (taxable * 22 + 50) // 100
        numbers = {"n": n, "office": rng.randrange(9999), "vat": rng.randrange(10**11), "month": n % 12 + 1}
        head = HEAD.format(total=euro(taxable + vat), **numbers)
        tail = TAIL.format(taxable=euro(taxable), vat=euro(vat), day=n % 28 + 1)
        path = folder / f"IT01234567897_{n:05d}.xml"
        path.write_text(head + "".join(lines) + tail)
        paths.append(path)
    return paths


def sign(paths: list[Path]) -> list[Path]:
    """The same invoices as .p7m, signed with one RSA key made here."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Benchmark")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    signed = []
    for path in paths:
        target = path.with_suffix(".xml.p7m")
        made = pkcs7.PKCS7SignatureBuilder().set_data(path.read_bytes())
        made = made.add_signer(certificate, key, hashes.SHA256())
        target.write_bytes(made.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary]))
        signed.append(target)
    return signed


def ours(paths: list[Path], workers: int = 1) -> None:
    sink = Nowhere()
    sources = [Source("prova", "sdi_invoices", "d", path.name, path) for path in paths]
    parse_fatturapa(sources, sink, workers=workers)
    if (sink.taken, sink.refused) != (len(paths), 0):
        raise SystemExit(f"read {sink.taken} of {len(paths)}, refused {sink.refused}")


def bare(paths: list[str]) -> None:
    for path in paths:
        etree.parse(path)


def seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def best(rounds: int, *works: Callable[[], None]) -> list[float]:
    """Best seconds of each work, in rounds that alternate."""
    taken = [[seconds(work) for work in works] for _ in range(rounds)]
    return [min(column) for column in zip(*taken, strict=True)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="?", type=int, default=40_000)
    arguments.add_argument("--signed", action="store_true", help="measure .p7m files too (a tenth as many)")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), options.files)
        names = [str(path) for path in paths]
        size = sum(path.stat().st_size for path in paths) / len(paths)
        print(f"{len(paths)} files of {size:,.0f} bytes")
        floor, one, two = best(5, lambda: bare(names), lambda: ours(paths), lambda: ours(paths, workers=2))

        def line(name: str, taken: float, files: int) -> None:
            rate, of_floor = files / taken, floor / len(paths) * files / taken
            print(f"{name:32}{rate:10,.0f} files/s{of_floor:8.3f} of bare lxml")

        line("bare lxml.etree.parse", floor, len(paths))
        line("ours, one process", one, len(paths))
        line("ours, two processes", two, len(paths))
        if options.signed:
            signed = sign(paths[: len(paths) // 10])
            line("ours, signed .p7m, one process", best(3, lambda: ours(signed))[0], len(signed))
        try:
            from a38.fattura import auto_from_etree
        except ImportError:
            print("a38 is not installed (dependency group bench)")
            return
        sample = names[:200]
        (other,) = best(3, lambda: [auto_from_etree(etree.parse(name).getroot()) for name in sample] and None)
        line("a38", other, len(sample))
        print(f"ours in one process is {other / len(sample) / (one / len(paths)):,.0f} times as fast as a38")


if __name__ == "__main__":
    main()
