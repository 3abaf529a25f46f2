-- Amounts and days as section 1 and 2 of the rules read them.

-- The sign of a document: a credit note counts negative, and so does any document whose total is negative.
create or replace macro document_sign(type_sign, total) as if(total < 0, -1, type_sign);

-- An amount of a document whose total is written negative, as it counts.
create or replace macro unsigned(amount, total) as if(total < 0, -amount, amount);

-- The commercial amount of a document on PCC, unsigned: the VAT of split payment is no debt to the supplier. Where PCC tells no
-- VAT, it is what the total has beyond the taxable amount (docs/rules.md#rule-1).
create or replace macro commercial_amount_of(total, vat, taxable, split) as
    unsigned(total - if(split, coalesce(vat, total - taxable, 0), 0), total);

-- What is suspended and out of the stock, by kind: lawsuit and contestation; the conformity check by a threshold.
create or replace macro excluded_kinds(lawsuit, contested, checked) as
    coalesce(lawsuit, 0) + coalesce(contested, 0) + if(threshold('suspended_check_excluded') = 1, coalesce(checked, 0), 0);

-- A day, unless it cannot be: then it is as if it were not given.
create or replace macro possible_day(day) as if(
    year(day) between threshold('first_possible_year')::integer and year(observed_at()) + threshold('possible_years')::integer, day, null
);

-- A due date, unless it cannot be.
create or replace macro possible_due(due, issued) as if(
    due between issued and issued + to_years(threshold('possible_years')::integer), due, null
);

-- Orders get new numbers each year: the year of an order, of its day of payment where its own is not given.
create or replace macro order_year(ordered_on, paid_on) as year(coalesce(ordered_on, paid_on));
