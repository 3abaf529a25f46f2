-- One row per document of PCC, ready to compare, with its accounts at the observation date.
-- Key: progressivo_registrazione; row_id is its number in the joins that follow.
with movements as (
    select
        progressivo_registrazione,
        max(data_operazione) filter (azione = 'CS') as last_due_date_notice,
        coalesce(bool_or(azione = 'RF' and data_operazione <= observed_at()), false) as refused,
        count(*) as operations
    from stg_pcc_operations
    group by progressivo_registrazione
),

suspension_events as (
    select
        operations.progressivo_registrazione,
        operations.data_operazione,
        states.to_account = 'sospeso' as starts,
        lead(operations.data_operazione) over document as next_date,
        lead(states.from_account = 'sospeso') over document as next_ends
    from stg_pcc_operations as operations
    join rule_debt_movements as states on states.azione = operations.azione and states.stato_debito = operations.stato_debito
    where operations.data_operazione <= observed_at()
      and 'sospeso' in (states.from_account, states.to_account)
    window document as (partition by operations.progressivo_registrazione order by operations.data_operazione, operations.row_id)
),

-- A due date communicated (CS) after the end has the suspension in it already: these days are told.
suspensions as (
    select
        suspension_events.progressivo_registrazione,
        sum(suspension_events.next_date - suspension_events.data_operazione)
            filter (coalesce(movements.last_due_date_notice < suspension_events.next_date, true)) as days,
        sum(suspension_events.next_date - suspension_events.data_operazione)
            filter (movements.last_due_date_notice >= suspension_events.next_date) as days_told
    from suspension_events
    join movements using (progressivo_registrazione)
    where suspension_events.starts
      and suspension_events.next_ends
    group by suspension_events.progressivo_registrazione
)

select
    amounts.ente,
    amounts.row_id,
    amounts.progressivo_registrazione,
    coalesce(subjects.creditor, 'NON_INDICATO') as creditor,
    coalesce(subjects.trusted, false) as creditor_known,
    subjects.vat,
    subjects.code,
    normalised_number(amounts.numero_documento, amounts.data_emissione) as number_key,
    amounts.numero_documento as numero,
    amounts.tipo_documento,
    document_sign(types.sign, amounts.importo_totale) as sign,
    amounts.data_emissione as issue_date,
    possible_day(amounts.data_ricezione) as reception_date,
    possible_due(amounts.data_scadenza, amounts.data_emissione) as due_date,
    abs(amounts.importo_totale) as total,
    unsigned(coalesce(amounts.totale_imposta, amounts.importo_totale - amounts.importo_imponibile, 0), amounts.importo_totale)
        as vat_amount,
    amounts.split_payment,
    amounts.codice_ufficio,
    amounts.lotto_sdi,
    amounts.denominazione_fornitore as supplier_name,
    amounts.stato_documento as stato,
    amounts.stato_documento = 'RIFIUTATO' or coalesce(movements.refused, false) as rejected,
    amounts.causale_sospensione as cause,
    case
        when amounts.tells_kinds then least(excluded_kinds(
            amounts.importo_sospeso_contenzioso, amounts.importo_sospeso_contestazione, amounts.importo_sospeso_verifica
        ), amounts.suspended)
        when causes.excluded then amounts.suspended
        else 0
    end as excluded,
    amounts.commercial_amount,
    amounts.liquidated,
    amounts.suspended,
    amounts.not_payable,
    amounts.paid - amounts.after_observation as paid,
    amounts.paid_non_commercial,
    amounts.non_commercial,
    amounts.left_out,
    amounts.after_reference - amounts.after_observation as paid_after_reference,
    amounts.unbooked,
    amounts.accounts_fault,
    amounts.told_paid,
    coalesce(suspensions.days, 0) as suspension_days,
    coalesce(suspensions.days_told, 0) as suspension_days_told,
    coalesce(movements.operations, 0) as operations,
    document_origin(
        amounts.lotto_sdi, subjects.vat, subjects.code, subjects.creditor, type_origins.origin, amounts.data_emissione
    ) as origin
from pcc_accounts as amounts
left join subjects
    on subjects.piva is not distinct from amounts.id_fiscale_iva
    and subjects.cf is not distinct from amounts.cf_fornitore
left join movements using (progressivo_registrazione)
left join suspensions using (progressivo_registrazione)
left join rule_suspension_causes as causes on causes.cause = upper(amounts.causale_sospensione)
join rule_document_types as types on types.code = amounts.tipo_documento
left join rule_document_type_origins as type_origins on type_origins.tipo_documento = amounts.tipo_documento
