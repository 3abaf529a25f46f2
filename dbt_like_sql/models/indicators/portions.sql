-- One row per part of a commercial document, by view: each payment of it by O, and what O finds unpaid (paid_on null).
-- No key. All indicators and the trend are sums over these rows. Amounts signed; what is not payable, or suspended and out of
-- the stock, is no part. A payment on PCC without a movement has no date: it is no part and counts as paid before everything.
with told as (
    select progressivo_registrazione, spans from suspensions where source = 'PCC_MOVEMENTS'
),

shown as (
    select progressivo_registrazione, spans from suspensions where source = 'PCC_STATE'
),

-- What the accounting system has suspended now, with the span that it knows, if any.
kept as (
    select erp_documents.id_documento, suspensions.spans
    from erp_documents
    left join suspensions on suspensions.source = 'ERP' and suspensions.id_documento = erp_documents.id_documento
    where erp_documents.stato = 'SOSPESA'
),

-- By how many days a suspension that ended has moved the right due date (docs/rules.md#rule-2).
moved as (
    select
        id_documento,
        suspension_days as days,
        -- Days that a communicated due date (CS) has in it already, where the right due date follows it.
        if(
            right_due_date - suspension_days::integer = pcc_row_due_date
            and pcc_row_due_date between erp_due_date and erp_due_date + suspension_days_told::integer,
            pcc_row_due_date - erp_due_date,
            0
        ) as days_told
    from documents
    where id_documento is not null and (suspension_days > 0 or suspension_days_told > 0)
),

positions as (
    select
        positions.view,
        positions.id_documento,
        positions.progressivo_registrazione,
        positions.issue_date,
        positions.reception_date,
        positions.due_date,
        if(positions.view = 'right', positions.due_date - coalesce(moved.days + moved.days_told, 0)::integer, positions.due_date)
            as stated_due_date,
        case
            when positions.view = 'pcc' or positions.id_documento is null then coalesce(told.spans, shown.spans)
            when positions.view = 'projected'
                then coalesce(told.spans, if(accounts.suspended > 0, kept.spans, null), shown.spans)
            -- In the right view the accounting system says what is suspended now; PCC what was.
            when kept.id_documento is null then list_filter(told.spans, lambda span: span.ends_on is not null)
            when told.spans[-1].ends_on <= kept.spans[1].starts_on then told.spans || kept.spans
            else coalesce(told.spans, kept.spans, shown.spans)
        end as suspended,
        if(positions.commercial_amount < 0, -1, 1) as sign,
        -- What is open at D, less what was paid after it.
        if(
            positions.issue_date > reference_date(),
            positions.commercial_amount - positions.paid_at_observation - positions.not_payable - positions.suspended_excluded,
            positions.open_amount + positions.paid_at_reference - positions.paid_at_observation
        ) as unpaid
    from debt_positions as positions
    left join told on told.progressivo_registrazione = positions.progressivo_registrazione
    left join shown on shown.progressivo_registrazione = positions.progressivo_registrazione
    left join kept on kept.id_documento = positions.id_documento
    left join moved on moved.id_documento = positions.id_documento
    left join (select * from projected_accounts where suspended > 0) as accounts
        on accounts.id_documento = positions.id_documento
        and accounts.progressivo_registrazione is not distinct from positions.progressivo_registrazione
    left join (select id_documento from documents where debt = 'none') as no_debt on no_debt.id_documento = positions.id_documento
    where positions.reason not in ('REJECTED', 'NON_COMMERCIAL', 'AMBIGUOUS', 'DUPLICATE')
      and not (positions.view = 'right' and no_debt.id_documento is not null)
),

parts as (
    select
        positions.* exclude (unpaid), paid.paid_on, possible_day(paid.sent_on) as sent_on, paid.suspended_days, positions.sign * paid.amount as amount
    from positions
    join counted_payments as paid using (id_documento)
    where positions.view = 'right' and paid.amount <> 0
    union all
    select positions.* exclude (unpaid), paid.paid_on, null, null, positions.sign * paid.importo
    from positions
    join (select * from pcc_payments where paid_on <= observed_at() and importo <> 0) as paid using (progressivo_registrazione)
    where (positions.view <> 'right' or positions.id_documento is null)
    union all
    -- A payment told to PCC counts on the day of its mandate; the account pagato non commerciale gives no dates.
    select positions.* exclude (unpaid), coalesce(told.data_mandato, observed_at()), null, null, positions.sign * told.importo
    from positions
    join operation_lines as told
        on told.id_documento is not distinct from positions.id_documento
        and told.progressivo_registrazione is not distinct from positions.progressivo_registrazione
    where positions.view = 'projected' and told.azione in ('CP', 'IP') and not told.non_commercial and told.importo <> 0
    union all
    select * exclude (unpaid), null, null, null, unpaid
    from positions
    where unpaid <> 0
)

select ente_code() as ente, * from parts
