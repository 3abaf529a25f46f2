-- One row per view and step of the FGDC test (L. 145/2018 art. 1 c. 859, 862, 863, 868) for the year of D, in words.
-- Key: view, step.
with steps as (
    select
        view, year, 1 as step, 'STOCK_SHARE' as name, stock as value, share_limit as bound, within_share as passed, null as rate,
        'Stock al ' || italian_date(reference_date()) || ': ' || italian_money(stock) || ' €. Il '
            || italian_money(threshold('fgdc_stock_share')) || ' % delle fatture ricevute nel ' || year || ' (' || italian_money(received)
            || ' €) è ' || italian_money(share_limit) || ' €: lo stock ' || if(within_share, 'non lo supera.', 'lo supera.') as words
    from fgdc_duties
    union all
    select
        view, year, 2, 'STOCK_REDUCTION', stock, reduction_limit, reduced, null,
        'Stock al 31/12/' || (year - 1) || if(previous_stated, ' (dichiarato dall''ente)', ' (dai documenti noti)') || ': '
            || italian_money(previous) || ' €. Il ' || italian_money(threshold('fgdc_stock_reduction')) || ' % è ' || italian_money(reduction_limit)
            || ' €: lo stock ' || if(reduced, 'si è ridotto abbastanza.', 'non si è ridotto abbastanza.')
    from fgdc_duties
    union all
    select
        view, year, 3, 'STOCK_DUTY', stock_rate, null, stock_rate = 0, stock_rate,
        if(stock_rate = 0, 'Dallo stock non nasce obbligo: basta una delle due condizioni.',
           'Nessuna delle due condizioni è rispettata: dallo stock nasce l''obbligo del ' || italian_money(stock_rate) || ' %.')
    from fgdc_duties
    union all
    select
        view, year, 4, 'DELAY_DUTY', coalesce(delay, 0), null, delay_rate = 0, delay_rate,
        if(delay is null, 'Nessuna fattura scaduta nel ' || year || ', né pagata nell''anno prima della scadenza: nessun ritardo.',
           'Indicatore di ritardo annuale: ' || italian_money(delay) || ' giorni, cioè ' || whole_days || ' interi'
           || if(closes_on > observed_at(), ' (simulazione: l''anno è in corso e il non pagato conta fino al ' || italian_date(closes_on) || ')', '')
           || if(delay_rate = 0, ': nessun obbligo.', ': obbligo del ' || italian_money(delay_rate) || ' %.'))
    from fgdc_duties
    union all
    select
        view, year, 5, 'PUBLISHED', null, null,
        case publication when 'PUBLISHED' then true when 'MISSING' then false end, if(publication = 'MISSING', silence_rate, 0),
        case publication
            when 'PUBLISHED' then 'Debiti del ' || year || ' pubblicati il ' || italian_date(published_on) || ' (art. 33 D.Lgs. 33/2013).'
            when 'NOT_YET' then 'I debiti del ' || year || ' vanno pubblicati (art. 33 D.Lgs. 33/2013)'
                || coalesce(' entro il ' || italian_date(publish_by), '') || ': se non lo saranno, l''obbligo è del 5 % (c. 868).'
            when 'MISSING' then 'I debiti del ' || year || ' non risultano pubblicati (art. 33 D.Lgs. 33/2013; il termine era il '
                || italian_date(publish_by) || ')' || if(silence_rate > 0, ': obbligo del ' || italian_money(silence_rate) || ' % (c. 868).', '.')
            else 'L''ente non ha dichiarato se ha pubblicato i debiti del ' || year
                || ' (registro degli enti, pubblicato_il): se non li ha pubblicati, l''obbligo è del 5 % (c. 868).'
        end
    from fgdc_duties
    union all
    select
        view, year, 6, 'FED_PCC', null, null,
        case when feeding = 'MISSING' then false when feeding <> 'NOT_KNOWN' then true end, if(feeding = 'MISSING', silence_rate, 0),
        case feeding
            when 'SIOPE_PLUS' then 'L''ente è su SIOPE+: i pagamenti arrivano a PCC dagli ordinativi.'
            when 'FED' then 'PCC conosce i pagamenti del ' || year || ': la piattaforma è alimentata.'
            when 'NOTHING_PAID' then 'Nessun pagamento commerciale noto nel ' || year || ': niente da comunicare a PCC.'
            when 'NOT_KNOWN' then 'Manca una consegna di PCC successiva al ' || italian_date(reference_date())
                || ': non si sa se la piattaforma è alimentata. Se non lo è, l''obbligo è del 5 % (c. 868).'
            else 'PCC non conosce nessuno dei pagamenti del ' || year || ': la piattaforma non è alimentata'
                || if(silence_rate > 0, ', obbligo del ' || italian_money(silence_rate) || ' % (c. 868).', '.')
        end
    from fgdc_duties
    union all
    select
        view, year, 7, 'FGDC_RATE', rate, null, rate = 0, rate,
        if(rate = 0, 'Nessun accantonamento al FGDC.',
           'Vale l''obbligo maggiore: ' || italian_money(rate) || ' % da accantonare al FGDC nel ' || (year + 1) || '.')
    from fgdc_duties
    union all
    select
        view, year, 8, 'FGDC_AMOUNT', amount, base, amount = 0, rate,
        if(base is null, 'L''ente non ha comunicato lo stanziamento ' || (year + 1) || ' per beni e servizi (flusso budgets).',
           'Stanziamento ' || budget_year || ' per beni e servizi ' || italian_money(stanziamento) || ' € meno vincolati ' || italian_money(vincolato)
           || ' € = ' || italian_money(base) || ' €; il ' || italian_money(rate) || ' % è ' || italian_money(amount) || ' €.')
    from fgdc_duties
    union all
    select
        view, year, 9, 'FGDC_ADJUSTMENT', amount - amount_before, base_before, amount = amount_before, rate,
        'Lo stanziamento ' || budget_year || ' netto è variato da ' || italian_money(base_before) || ' € a ' || italian_money(base)
            || ' €: l''accantonamento passa da ' || italian_money(amount_before) || ' € a ' || italian_money(amount) || ' € (c. 863).'
    from fgdc_duties
    where base <> base_before
    union all
    select
        view, year, 10, 'RESOLUTION', null, null, null, rate,
        'La delibera va adottata entro il 28/02/' || (year + 1) || if(rate = 0, ' anche se l''accantonamento è zero', '')
            || ' (Missione 20, Programma 03).'
    from fgdc_duties
)

select ente_code() as ente, reference_date() as reference_date, *
from steps
