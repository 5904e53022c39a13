-- Parts of bill_lines below a gigabyte are one file: a run brings some ten thousand lines at a time, and two files for each of three dozen columns took
-- longer to make than to fill.
ALTER TABLE bill_lines MODIFY SETTING min_bytes_for_wide_part = 1073741824;
