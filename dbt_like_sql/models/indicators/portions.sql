-- One row per part of a commercial document, by view: each payment of it by O, and what O finds unpaid (paid_on null).
-- No key. All indicators and the trend are sums over these rows. Amounts signed; what is not payable, or suspended and out of
-- the stock, is no part. A payment on PCC without a movement has no date: it is no part and counts as paid before everything.
with on_pcc as (
    -- What PCC says of a suspension: by its movements (told), and by its state (shown).
    select
        progressivo_registrazione,
        max(spans) filter (source = 'PCC_MOVEMENTS') as told,
        max(spans) filter (source = 'PCC_STATE') as shown
    from suspensions
    where source <> 'ERP'
    group by progressivo_registrazione
),

-- The few documents of the accounting system of which more counts than their amounts: what it has suspended now, with the span
-- that it knows, if any; by how many days a suspension that ended has moved the right due date (docs/rules.md#rule-2).
noted as (
    select
        documents.id_documento,
        documents.erp_stato = 'SOSPESA' as kept,
        suspensions.spans,
        documents.debt = 'none' as no_debt,
        documents.suspension_days as days,
        -- Days that a communicated due date (CS) has in it already, where the right due date follows it.
        if(
            documents.right_due_date - documents.suspension_days::integer = documents.pcc_row_due_date
            and documents.pcc_row_due_date between documents.erp_due_date
                and documents.erp_due_date + documents.suspension_days_told::integer,
            documents.pcc_row_due_date - documents.erp_due_date,
            0
        ) as days_told
    from documents
    left join suspensions on suspensions.source = 'ERP' and suspensions.id_documento = documents.id_documento
    where documents.id_documento is not null
      and (documents.erp_stato = 'SOSPESA' or documents.debt = 'none' or documents.suspension_days > 0 or documents.suspension_days_told > 0)
),

positions as (
    select
        positions.view,
        positions.id_documento,
        positions.progressivo_registrazione,
        positions.issue_date,
        positions.reception_date,
        positions.due_date,
        if(positions.view = 'right', positions.due_date - coalesce(noted.days + noted.days_told, 0)::integer, positions.due_date)
            as stated_due_date,
        case
            when positions.view = 'pcc' or positions.id_documento is null then coalesce(on_pcc.told, on_pcc.shown)
            when positions.view = 'projected'
                then coalesce(on_pcc.told, if(accounts.suspended > 0 and noted.kept, noted.spans, null), on_pcc.shown)
            -- In the right view the accounting system says what is suspended now; PCC what was.
            when not coalesce(noted.kept, false) then list_filter(on_pcc.told, lambda span: span.ends_on is not null)
            when on_pcc.told[-1].ends_on <= noted.spans[1].starts_on then on_pcc.told || noted.spans
            else coalesce(on_pcc.told, noted.spans, on_pcc.shown)
        end as suspended,
        if(positions.commercial_amount < 0, -1, 1) as sign,
        -- What is open at D, less what was paid after it.
        if(
            positions.issue_date > reference_date(),
            positions.commercial_amount - positions.paid_at_observation - positions.not_payable - positions.suspended_excluded,
            positions.open_amount + positions.paid_at_reference - positions.paid_at_observation
        ) as unpaid
    from debt_positions as positions
    left join on_pcc on on_pcc.progressivo_registrazione = positions.progressivo_registrazione
    left join noted on noted.id_documento = positions.id_documento
    left join (select * from projected_accounts where suspended > 0) as accounts
        on accounts.id_documento = positions.id_documento
        and accounts.progressivo_registrazione is not distinct from positions.progressivo_registrazione
    where positions.reason not in ('REJECTED', 'NON_COMMERCIAL', 'AMBIGUOUS', 'DUPLICATE')
      and not (positions.view = 'right' and coalesce(noted.no_debt, false))
),

-- Which payments count for a position is told by its key: null joins none. A filter would have DuckDB take the positions for
-- few, and put them, not the payments, in the hash table.
parts as (
    select
        positions.* exclude (unpaid), paid.paid_on, possible_day(paid.sent_on) as sent_on, paid.suspended_days, positions.sign * paid.amount as amount
    from positions
    join (select * from counted_payments where amount <> 0) as paid
        on paid.id_documento = if(positions.view = 'right', positions.id_documento, null)
    union all
    select positions.* exclude (unpaid), paid.paid_on, null, null, positions.sign * paid.importo
    from positions
    join (select * from pcc_payments where paid_on <= observed_at() and importo <> 0) as paid
        on paid.progressivo_registrazione
            = if(positions.view = 'right' and positions.id_documento is not null, null, positions.progressivo_registrazione)
    union all
    -- A payment told to PCC counts on the day of its mandate; the account pagato non commerciale gives no dates.
    select positions.* exclude (unpaid), coalesce(told.data_mandato, observed_at()), null, null, positions.sign * told.importo
    from positions
    join (
        select *, 'projected' as view
        from operation_lines
        where azione in ('CP', 'IP') and not non_commercial and importo <> 0
    ) as told
        on told.view = positions.view
        and told.id_documento is not distinct from positions.id_documento
        and told.progressivo_registrazione is not distinct from positions.progressivo_registrazione
    union all
    select * exclude (unpaid), null, null, null, unpaid
    from positions
    where unpaid <> 0
)

select ente_code() as ente, * from parts
