"""Partners of the medico-social sector: who may receive what (MDPH, conseil départemental, SIAO, CHRS)."""
