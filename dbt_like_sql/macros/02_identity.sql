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

create or replace macro number_runs(written) as regexp_extract_all(upper(written), '[A-Z]+|[0-9]+');

-- Leading runs such as FT or NUM dropped while something remains.
create or replace macro without_prefixes(runs) as
    runs[least(
        coalesce(list_position(list_transform(runs, lambda run: run in ('FT', 'FATT', 'FATTURA', 'N', 'NR', 'NUM')), false), len(runs)),
        len(runs)
    ):];

create or replace macro has_digits(runs) as len(list_filter(runs, lambda run: run[1] between '0' and '9')) > 0;

-- The last run, else the first, dropped when it is the year of issue and a run of digits remains.
create or replace macro without_year(runs, issue_year) as
    case
        when runs[len(runs)] = issue_year and has_digits(runs[:len(runs) - 1]) then runs[:len(runs) - 1]
        when runs[1] = issue_year and has_digits(runs[2:]) then runs[2:]
        else runs
    end;

create or replace macro without_zeros(run) as
    case
        when run[1] between '0' and '9' then coalesce(nullif(ltrim(run, '0'), ''), '0')
        else run
    end;

create or replace macro runs_joined(runs) as array_to_string(list_transform(runs, lambda run: without_zeros(run)), '-');

-- Normalised number: FT 0012/2025, 12-2025, 2025/12 and 12 (issued 2025) are equal, 1/23 differs from 12/3.
create or replace macro normalised_number(written, issue_date) as
    case
        when regexp_full_match(written, '[0-9]+') then coalesce(nullif(ltrim(written, '0'), ''), '0')
        else nullif(runs_joined(without_year(without_prefixes(number_runs(written)), year(issue_date)::varchar)), '')
    end;
