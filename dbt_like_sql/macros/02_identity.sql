-- How two writings of the same subject or the same number become equal (rules, sections 5 and 6).

create or replace macro bare_tax_id(bare) as
    case
        when regexp_full_match(bare, '(IT)?0*') then null
        when regexp_full_match(bare, 'IT[0-9]{1,11}') then lpad(substr(bare, 3), 11, '0')
        when regexp_full_match(bare, '[0-9]{1,10}') then lpad(bare, 11, '0')
        else bare
    end;

-- Upper case, no spaces or punctuation, IT before digits dropped, digits padded to 11; null when nothing is left.
create or replace macro tax_id(written) as bare_tax_id(regexp_replace(upper(written), '[^A-Z0-9]', '', 'g'));

-- Runs of letters and runs of digits, joined; everything else only separates.
create or replace macro number_runs(written) as array_to_string(regexp_extract_all(upper(written), '[A-Z]+|[0-9]+'), '-');

-- Leading runs such as FT or NUM (rule_number_prefixes) dropped while something remains.
create or replace macro without_prefixes(runs) as regexp_replace(runs, getvariable('number_prefix_pattern')::varchar, '');

-- The last run, else the first, dropped when it is the year of issue and a run of digits remains.
-- The one-element list gives the runs a name, so that they are worked out once.
create or replace macro without_year(runs, issue_year) as list_transform(
    [runs],
    lambda given: case
        when ends_with(given, '-' || issue_year) and regexp_matches(given[:len(given) - 5], '[0-9]') then given[:len(given) - 5]
        when starts_with(given, issue_year || '-') and regexp_matches(given[6:], '[0-9]') then given[6:]
        else given
    end
)[1];

create or replace macro without_zeros(runs) as regexp_replace(runs, '(^|-)0+([0-9])', '\1\2', 'g');

-- Normalised number: FT 0012/2025, 12-2025, 2025/12 and 12 (issued 2025) are equal, 1/23 differs from 12/3.
-- Empty when the number has neither letter nor digit.
create or replace macro normalised_number(written, issue_date) as
    without_zeros(without_year(without_prefixes(number_runs(written)), year(issue_date)::varchar));
