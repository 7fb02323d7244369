"""The actors of a territory: operators, structures, professionals, mailboxes, patients.

`model` their shapes; `territory` the shipped « Val-de-Brume » and stored records; `identifiers` RPPS, FINESS, SIRET and the
reserved blocks; `actors` what a user brings by file or command; `nature` who may read which type of document.
"""
