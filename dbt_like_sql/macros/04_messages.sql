-- The name of an invoice file without folder and extensions: SDI's messages and deliveries write them differently.
create or replace macro file_stem(name) as
    nullif(lower(regexp_replace(regexp_extract(name, '[^/\\]*$'), '(\.(xml|p7m|zip))+$', '', 'i')), '');

-- Whether SDI gave a file its name (IT01234567890_00001.xml): then the name is the file's identity.
create or replace macro sdi_file_name(name) as coalesce(regexp_full_match(
    regexp_extract(name, '[^/\\]*$'), '[A-Z]{2}[0-9A-Z]{2,28}_[0-9A-Z]{1,5}(\.(xml|p7m))+', 'i'
), false);

-- The name of the invoice in a message's own name (<invoice>_EC_001.xml); null where it has none.
create or replace macro message_stem(name) as
    nullif(lower(regexp_extract(regexp_extract(name, '[^/\\]*$'), '^(.+)_(MT|RC|MC|NS|NE|EC|SE|DT|AT)_[0-9A-Za-z]+\.', 1, 'i')), '');

-- part * times / whole in cents, rounded half away from zero, without ever leaving whole numbers.
create or replace macro share(part, times, whole) as
    sign(part) * sign(times) * ((2 * abs(part)::hugeint * abs(times)::hugeint + whole) // (2 * whole::hugeint));
