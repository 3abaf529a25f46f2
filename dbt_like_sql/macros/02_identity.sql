-- How two writings of the same subject or the same number become equal (docs/rules.md#rule-5 and docs/rules.md#rule-6).

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

-- Whether a normalised tax id is right: the check digit of eleven digits (DPR 633/1972 art. 35), whatever the digits that
-- tell a VAT number's office (a provisional fiscal code has any), or the check letter of sixteen characters (DM 23/12/1976). Other ids (another country's, which begin with its two letters) are taken as they are;
-- of those that look Italian a wrong length is wrong.
create or replace macro digits_prove(id) as list_sum(list_transform(
    range(1, 12),
    lambda place: case
        when place % 2 = 1 then id[place]::integer
        else id[place]::integer * 2 - case when id[place]::integer > 4 then 9 else 0 end
    end
)) % 10 = 0;

-- What a character of a fiscal code counts, before the table of odd places: a digit as the letter of the same rank.
create or replace macro code_rank(character) as
    case when regexp_full_match(character, '[0-9]') then character::integer else ascii(character) - 65 end;

create or replace macro letter_proves(id) as chr(65 + (list_sum(list_transform(
    range(1, 16),
    lambda place: case
        when place % 2 = 0 then code_rank(id[place])
        else [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23][code_rank(id[place]) + 1]
    end
)) % 26)::integer) = id[16];

-- Whether a normalised tax id has the shape of one.
create or replace macro shaped_tax_id(id) as
    regexp_full_match(id, '[0-9]{11}|[A-Z]{6}[A-Z0-9]{9}[A-Z]')
    or (regexp_full_match(id, '[A-Z]{2}[A-Z0-9]*[0-9][A-Z0-9]*') and not starts_with(id, 'IT') and length(id) <= 15);

create or replace macro right_tax_id(id) as case
    when regexp_full_match(id, '[0-9]{11}') then digits_prove(id) and id <> '00000000000'
    when regexp_full_match(id, '[A-Z]{6}[A-Z0-9]{9}[A-Z]') then letter_proves(id)
    else shaped_tax_id(id)
end;

-- A person's fiscal code.
create or replace macro is_person_code(id) as regexp_full_match(id, '[A-Z]{6}[A-Z0-9]{9}[A-Z]');

-- Whether two ids of one kind differ by one sign mistyped, left out, added or swapped.
create or replace macro one_sign_off(one, other) as
    one <> other and is_person_code(one) = is_person_code(other) and damerau_levenshtein(one, other) = 1;
