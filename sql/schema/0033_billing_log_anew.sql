-- The three tables before this one are made of records that a directory may have projected already: forget how far that came, and the next projection
-- begins anew. Rows replace themselves, so what it repeats is harmless.
ALTER TABLE frontier DELETE WHERE kind = 'billing' SETTINGS mutations_sync = 2;
