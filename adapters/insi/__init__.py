"""INSi on the wire: the routes of the simulated teleservice, its WSDL, and the gateway's own client of any INSi."""
