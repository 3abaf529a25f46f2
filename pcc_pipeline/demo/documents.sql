-- One row per synthetic document: its case, parties, amounts, dates and what either side knows of it.
-- Reads tables dealt (cases.py), suppliers (parties.py) and the variables seed, first, documents, pool,
-- cases, term, office, reference_date, observed_at. Numbers come from integer arithmetic alone: the same
-- seed gives the same rows on any machine and in any order. Key: i.

create or replace macro scatter(x, k) as
    ((((x * x + 12345 + k) % 2147483647) * 48271 + x) % 2147483647);
create or replace macro draw(i, k) as
    scatter((i * 1103515 + k * 40503001 + getvariable('seed')) % 2147483647, k);

create or replace temp view documents as
with
numbers as (
    select
        range as i,
        draw(range, 1) as r1, draw(range, 2) as r2, draw(range, 3) as r3, draw(range, 4) as r4,
        draw(range, 5) as r5, draw(range, 6) as r6, draw(range, 7) as r7, draw(range, 8) as r8
    from range(getvariable('first'), getvariable('first') + getvariable('documents'))
),
chosen as (
    select
        numbers.*, dealt.* exclude (slot, tier, codes),
        dealt.codes,
        case
            when dealt.tier = '-' then null
            when dealt.tier <> '' then dealt.tier
            when r1 % 100 < 15 then 'pcc_id'
            when r1 % 100 < 35 then 'sdi_lot'
            when r1 % 100 < 92 or age_from < 3 then 'exact'
            when r1 % 100 < 96 then 'number_amount'
            else 'date_amount'
        end as tier,
        case special
            when 'CESSIONE' then 0 when 'SUCCESSIONE' then 1 when 'OPERAZIONE_SOCIETARIA' then 2 when 'GIRO' then 3
            -- Recurring bills come from few suppliers, so that many are alike.
            else 4 + r2 % if(twist in ('fuzzy_typo', 'recurring'), greatest(2, getvariable('pool') // 100), getvariable('pool'))
        end as supplier
    from numbers
    join dealt on dealt.slot = case
        when i < getvariable('first') + getvariable('cases') then i - getvariable('first')
        else getvariable('cases') + (i * 617 + getvariable('seed')) % 1000
    end
),
amounts as (
    select
        chosen.*, suppliers.* exclude (supplier),
        if(
            twist in ('fuzzy_typo', 'recurring'),
            40000 + supplier * 1100,
            2000 + r3 % (case r4 % 10 when 0 then 5000000 when 1 then 1000000 when 2 then 30000 else 400000 end)
        ) as net,
        case
            when fixed_rate is not null then fixed_rate
            when twist = 'split_vat' or r4 % 100 < 70 then 22 when r4 % 100 < 85 then 10 when r4 % 100 < 90 then 4 else 0
        end as rate,
        getvariable('reference_date') - (age_from + (r5 % (age_to - age_from + 1)))::int as issued
    from chosen
    join suppliers using (supplier)
),
dated as (
    select
        *,
        (net * rate + 50) // 100 as vat,
        rate > 0 and coalesce(fixed_split, twist = 'split_vat' or (not professional and r4 // 100 % 100 < 80)) as split,
        issued + (r6 % 4)::int as received
    from amounts
),
due as (
    select
        *,
        net + vat as total,
        if(split, net, net + vat) as amount,
        case twist
            when 'due_across' then getvariable('reference_date') - 3
            when 'issue' then getvariable('reference_date')
            else received + getvariable('term')::int
        end as due_on,
        least(
            if(twist = 'reversed', received, received + 10 + (r7 % 80)::int), getvariable('reference_date')
        ) as pays_on,
        getvariable('reference_date') + 1
            + (r7 % greatest(1, getvariable('observed_at') - getvariable('reference_date')))::int as pays_after_on
    from dated
),
sides as (
    select
        *,
        -- What PCC takes the document to be worth: all but the VAT it believes the ente pays itself.
        case twist
            when 'amount' then amount + 1234 when 'cent' then amount + 1 when 'fuzzy_amount' then amount + 2 + r8 % 90 when 'split_vat' then total else amount
        end as pcc_amount,
        total + case twist when 'amount' then 1234 when 'cent' then 1 when 'fuzzy_amount' then 2 + r8 % 90 else 0 end as pcc_total,
        net + case twist when 'amount' then 1234 when 'cent' then 1 when 'fuzzy_amount' then 2 + r8 % 90 else 0 end as pcc_net,
        split and twist <> 'split_vat' as pcc_split,
        case
            when twist = 'issue' then getvariable('reference_date') + 1
            when twist in ('fuzzy_swap', 'fuzzy_amount') then issued + 1 + (r8 % 3)::int
            when twist = 'fuzzy_typo' then issued + 1 + (r8 % 5)::int
            when twist = 'fuzzy_date' then issued - 27 - (r8 % 6)::int
            when twist = 'fuzzy' or tier = 'number_amount' then issued + 1
            else issued
        end as pcc_issued,
        case twist
            when 'pcc_no_due' then null
            when 'due_earlier' then due_on - 10
            when 'due_across' then getvariable('reference_date') + 5
            else due_on
        end as pcc_due_on,
        greatest(received, if(erp_when = 'after', pays_after_on, pays_on)) as erp_paid_on,
        greatest(received, if(pcc_when = 'after', pays_after_on, pays_on)) as pcc_paid_on,
        case erp_pays when 'full' then amount when 'reversed' then amount when 'none' then 0 else amount // 3 end as erp_paid_1,
        case erp_pays when 'two' then amount - amount // 3 when 'part' then amount // 4 when 'reversed' then -amount else 0 end
            as erp_paid_2,
        case pcc_pays when 'full' then amount when 'reversed' then amount when 'none' then 0 else amount // 3 end as pcc_paid_1,
        case pcc_pays when 'two' then amount - amount // 3 when 'part' then amount // 4 when 'reversed' then -amount else 0 end
            as pcc_paid_2
    from due
),
-- A situation's second document lies far from all others: its keys are its own, its number the first one's.
doubled as (
    select *, i as root from sides
    union all
    select * replace (i + 40000000 as i, twist || '_twin' as twist), i as root from sides where twist in ({twins})
),
written as (
    select
        *,
        (root + 1)::text as number,
        (root + 1)::text || if(r8 % 12 = 0, '/PA', '') as number_pa,
        'D' || lpad((i + 1)::text, 8, '0') as id_documento,
        (100000000000 + i)::text as progressivo,
        (160000000000 + i)::text as progressivo_2,
        (7000000000 + i)::text as lotto,
        (7600000000 + i)::text as lotto_2,
        case
            when credit_note then 'TD04' when professional then 'TD06' when r8 % 60 = 1 then 'TD24' else 'TD01'
        end as tipo,
        upper(substr('ABCDEF0123456789', 1 + (r6 % 16)::int, 1)) || lpad((r7 % 1000000000)::text, 9, '0') as cig
    from doubled
),
-- What the feeds have of it, side by side: a situation changes one without the other.
told as (
    select
        *,
        total as erp_total, net as erp_net, vat as erp_vat, vat as pcc_vat,
        tipo as pcc_tipo,
        due_on as erp_due_on,
        least(received + 5, getvariable('reference_date')) as suspended_on,
        case twist when 'no_vat' then 'RSSMRA80A01H501U' when 'foreign' then null else if(professional or twist = 'cf_only', cf, null) end
            as erp_cf,
        case twist when 'foreign' then 'DE136695976' when 'no_vat' then null when 'cf_only' then null else piva end as erp_piva,
        cf as pcc_cf,
        'IT' || piva as pcc_vat_number,
        if(tier = 'sdi_lot' or (tier = 'pcc_id' and r6 % 2 = 0), lotto, null) as erp_lot,
        null::text as erp_said, null::text as pcc_said,
        case
            when twist = 'beneficiary' then getvariable('stranger')
            when special = 'CESSIONE' then getvariable('assignee')
            when professional then cf else piva
        end as payee,
        null::text as paid_by,
        -- One payment more of the document.
        null::bigint as more, null::text as more_to, null::text as more_number,
        null::bigint as erp_withheld, null::bigint as order_withheld,
        false as empty_accounts,
        -- Its e-invoice, which is there whatever the share where one of these is given.
        null::text as sdi_nature, null::date[] as sdi_dues, null::integer as sdi_term, null::bigint as sdi_withheld,
        false as sdi_names
    from written
),
changed as (
    select * replace (
        {changes}
    )
    from told
)
select
    *,
    case
        when erp_said is not null then erp_said
        -- Two digits swapped, one mistyped, a suffix lost: what people write wrong.
        when twist = 'fuzzy_swap' and number[-1] <> number[-2] then number[:-3] || number[-1] || number[-2] || '/' || year(issued)
        when twist = 'fuzzy_typo' then ((number[1]::int + r8 % 8) % 9 + 1)::text || number[2:] || '/' || year(issued)
        when twist = 'fuzzy_date' then number || '/B'
        when twist in ('fuzzy', 'fuzzy_swap') then (i * 10 + 7)::text || '/' || year(issued)
        when tier = 'date_amount' then 'REG' || (900000 + i)::text || 'Q'
        when r8 % 7 = 0 then 'FT ' || number_pa || '/' || year(issued)
        when r8 % 7 = 1 then number_pa || '-' || year(issued)
        when r8 % 7 = 2 then 'Fatt. n. ' || number_pa
        when r8 % 7 = 3 then lpad(number_pa, 7, '0')
        else number_pa
    end as erp_number,
    case
        when pcc_said is not null then pcc_said
        when r8 // 7 % 6 = 0 then year(pcc_issued) || '/' || number_pa
        when r8 // 7 % 6 = 1 then 'FT ' || lpad(number_pa, 8, '0') || '/' || year(pcc_issued)
        when r8 // 7 % 6 = 2 then replace(number_pa, '/', '-')
        when r8 // 7 % 6 = 3 then number_pa || '/' || year(pcc_issued)
        else number_pa
    end as pcc_number
from changed;
