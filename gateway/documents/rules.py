"""The rules of this room, by subject. Issues raised while opening are turned into findings by the caller.

| tuple                | subject                          | run by                              |
|----------------------|----------------------------------|-------------------------------------|
| `PACKAGE_RULES`      | `XdmPackage`                     | mail, file                          |
| `DOCUMENT_RULES`     | `CdaDocument`                    | every door                          |
| `METADATA_RULES`     | `XdsMetadata`                    | mail, file, DMP                     |
| `METADATA_CDA_RULES` | (`DocumentEntry`, `CdaDocument`) | mail, file (warnings); DMP (refusal) |

Official samples (profile `official-samples`): the ANS packages and examples are accepted, their real defects told as
warnings or less. Seen in them: stray references (MET-10) and facility code as contentTypeCode (MET-15) in every
package; a custodian without register digit (CDA-17, IMG-DA-IMG 2024); a document without setId (CDA-07, radiology N1);
keys of fictitious RPPS and FINESS (CDA-18); versions without RPLC or the reverse (CDA-14); labels (CDA-06); facilities
without id (CDA-30); authors without code or structure (CDA-21); PDF bodies without PDF/A-1 marker (CDA-25).
"""

from gateway.documents.rules_document import RULES as DOCUMENT_RULES
from gateway.documents.rules_metadata import RULES as METADATA_RULES
from gateway.documents.rules_package import RULES as PACKAGE_RULES
from gateway.documents.rules_package import pairs_of
from gateway.documents.rules_pair import RULES as METADATA_CDA_RULES

__all__ = ["DOCUMENT_RULES", "METADATA_CDA_RULES", "METADATA_RULES", "PACKAGE_RULES", "pairs_of"]
