"""The way to a service: its proxy, its certificates, its addresses. Decided once for all connections and the doctor."""
