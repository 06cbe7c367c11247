//! Which test tries which mode of a hostile plugin. A mode that has none does not compile.

use super::table::tests;
use super::{disk, escapes, extract, granted, ipc, load, network, reach, retried, transform, validate};
use crate::replay;

/// `plugin { Mode => file::test, .. }`: every mode of its options stands there, and every test exists.
macro_rules! tests_of_modes {
    ($($plugin:ident { $($mode:ident => $file:ident::$test:ident,)* })*) => {
        $(
            const _: fn($plugin::Mode) -> fn() = |mode| match mode {
                $($plugin::Mode::$mode => $file::$test,)*
            };
        )*

        /// The modes, by the names of their plugin and variant, each with the file and the name of its test.
        const TESTED: &[(&str, &str, &str, &str)] = &[
            $($((stringify!($plugin), stringify!($mode), stringify!($file), stringify!($test)),)*)*
        ];
    };
}

tests_of_modes! {
    evil {
        Pass => transform::pass,
        Panic => transform::panic,
        PanicOn => transform::panic_on,
        PanicOnEvery => retried::a_hundred_and_one_scattered_poison_rows_of_65536,
        PanicInOpen => transform::panic_in_open,
        PanicInFinish => transform::panic_in_finish,
        Loop => transform::loop_in_process,
        LoopInOpen => transform::loop_in_open,
        LoopInFinish => transform::loop_in_finish,
        NeverFinishes => transform::never_finishes_is_stopped,
        Recurse => transform::recurse,
        Exit => transform::exit_0,
        Abort => transform::abort,
        WildPointer => transform::wild_pointer,
        Fault => transform::fault_internal,
        FaultInOpen => transform::fault_in_open,
        EatSlowly => transform::eat_slowly,
        EatAtOnce => transform::eat_at_once,
        KeepEveryHandle => transform::keep_every_handle,
        MakeHandles => transform::make_handles,
        AnswerMany => transform::answer_many,
        FloodLog => transform::flood_log,
        FloodStdout => transform::flood_stdout,
        FloodStderr => transform::flood_stderr,
        LongLine => transform::long_line,
        ManyCounters => transform::many_counters,
        LongCounter => transform::long_counter,
        LongFault => transform::long_fault,
        FloodQuarantine => transform::flood_quarantine,
        HugeAnswer => transform::huge_answer,
        ReadFile => transform::read_file,
        WriteFile => transform::write_file,
        ListFolder => transform::list_folder,
        ManyFiles => disk::many_files,
        ReadEnvironment => granted::a_stage_sees_only_the_variables_it_was_granted,
        Sleep => transform::sleep,
        Clock => granted::the_clock_and_randomness_of_a_stage_are_the_runs,
        Random => granted::the_clock_and_randomness_of_a_stage_are_the_runs,
        Stamp => replay::two_runs_for_one_interval_make_the_same_bytes,
        FaultStamp => replay::the_clock_and_randomness_are_those_of_the_call,
        FaultStampInFinish => replay::the_clock_and_randomness_are_those_of_the_call,
        PanicInOpenAgain => replay::an_open_that_failed_is_made_again,
        Warn => replay::what_stages_warn_of_is_told_with_the_outcome,
        TinyCalls => transform::tiny_calls,
        Slow => transform::slow,
        SmallBatches => transform::small_batches,
        CounterOverflow => transform::counter_overflow,
        PanicLikeOurs => transform::panic_like_ours,
        FaultLikeOurs => transform::fault_like_ours,
        Escapes => escapes::of_a_transform,
        EscapesInNames => escapes::in_the_names_of_columns,
        RemoveFile => reach::a_file_of_a_read_grant_is_not_removed,
        MakeLink => reach::a_link_made_during_the_run_leads_nowhere,
        HardLink => reach::hard_links,
        Rename => reach::renames_across_grants,
        FreshMemory => reach::the_memory_of_another_instance,
        Remember => reach::the_memory_of_an_earlier_run,
        TakeMany => transform::take_many,
        ManyColumns => transform::many_columns,
        ManyEmptyTexts => transform::many_empty_texts,
        RowsWithoutColumns => transform::rows_without_columns,
        LongName => transform::long_name,
        DecimalWidth => transform::decimal_width,
        IpcFile => ipc::a_compressed_stream,
        IpcTrailing => transform::ipc_trailing,
        IpcRows => transform::ipc_rows,
        PromisesDeep => transform::promises_deep,
        MaskShort => transform::mask_short,
        MaskLong => transform::mask_long,
        TakePastEnd => transform::take_past_end,
        SlicePastEnd => transform::slice_past_end,
        SliceOverflow => transform::slice_overflow,
        ColumnPastEnd => transform::column_past_end,
        SelectPastEnd => transform::select_past_end,
        SelectTwice => transform::select_twice,
        WrongForm => transform::wrong_form,
        ConcatNothing => transform::concat_nothing,
        ConcatMixed => transform::concat_mixed,
        ZipSelf => transform::zip_self,
        OffsetsFirst => transform::offsets_first,
        OffsetsFall => transform::offsets_fall,
        OffsetsNegative => transform::offsets_negative,
        OffsetsPastData => transform::offsets_past_data,
        OffsetsNone => transform::offsets_none,
        InvalidUtf8 => transform::invalid_utf8,
        SplitCharacter => transform::split_character,
        ColumnShort => transform::column_short,
        ColumnLong => transform::column_long,
        RowsInflated => transform::rows_inflated,
        ValidityShort => transform::validity_short,
        ValidityLong => transform::validity_long,
        NullInNotNull => transform::null_in_not_null,
        WrongType => transform::wrong_type,
        RaggedBytes => transform::ragged_bytes,
        StringsWithValidity => transform::strings_with_validity,
        NameTwice => transform::name_twice,
        FieldsWithoutColumns => transform::fields_without_columns,
        ColumnsWithoutFields => transform::columns_without_fields,
        DecimalWithoutDetail => transform::decimal_without_detail,
        DecimalTooWide => transform::decimal_too_wide,
        DecimalOverflow => transform::decimal_overflow,
        BadTimeZone => transform::bad_time_zone,
        OtherWithValues => transform::other_with_values,
        IpcEmpty => transform::ipc_empty,
        IpcGarbage => transform::ipc_garbage,
        IpcTruncated => transform::ipc_truncated,
        IpcFlipped => transform::ipc_flipped,
        PromisesMore => transform::promises_more,
        PromisesOtherNames => transform::promises_other_names,
        PromisesOtherTypes => transform::promises_other_types,
        PromisesNoNulls => transform::promises_no_nulls,
        PromisesNameTwice => transform::promises_name_twice,
        SchemaChanges => transform::schema_changes,
        AnswersNoColumns => transform::answers_no_columns,
    }
    evil_extract {
        Pass => extract::pass,
        PanicInOpen => extract::panic_in_open,
        LoopInOpen => extract::loop_in_open,
        Panic => extract::panic,
        Loop => extract::loop_in_next,
        Unavailable => extract::unavailable,
        NeverEnds => extract::never_ends_is_stopped,
        EmptyForEver => extract::empty_for_ever,
        FewerColumns => extract::fewer_columns,
        MoreColumns => extract::more_columns,
        OtherTypes => extract::other_types,
        OtherNames => extract::other_names,
        Nulls => extract::nulls,
        OddProgress => extract::odd_progress,
        LongBookmark => extract::long_bookmark,
        Slow => extract::slow,
        Escapes => escapes::in_a_bookmark,
        QuarantineThenPanic => extract::quarantine_then_panic,
    }
    evil_load {
        Pass => load::pass,
        PanicInOpen => load::panic_in_open,
        PanicInWrite => load::panic_in_write,
        PanicInPrepare => load::panic_in_prepare,
        PanicInCommit => load::what_fails_in_commit_is_told_and_stands_in_the_way_of_the_next_run,
        PanicInAbort => load::panic_in_abort,
        UnavailableInWrite => load::unavailable_in_write,
        UnavailableInPrepare => load::unavailable_in_prepare,
        UnavailableInCommit => load::what_fails_in_commit_is_told_and_stands_in_the_way_of_the_next_run,
        LoopInPrepare => load::loop_in_prepare,
        LoopInCommit => load::what_fails_in_commit_is_told_and_stands_in_the_way_of_the_next_run,
        LongReceipt => load::long_receipt,
        ForgedReceipt => load::forged_receipt,
        LiesInCommit => load::lies_in_commit,
    }
    evil_network {
        Get => network::a_request_without_a_grant,
        GetEach => network::a_name_whose_answer_changes,
        Follow => network::redirects_are_not_followed,
        AbsoluteForm => network::a_whole_url_in_place_of_a_path,
        Connect => network::a_server_that_is_to_connect_elsewhere,
        HostHeader => network::another_host_in_the_head,
        TakeAll => network::an_answer_without_end,
        TakeAllAndHide => network::an_answer_without_end,
        SendForEver => network::sending_without_end,
        ManyRequests => network::many_requests_at_once,
        HoardFields => network::hoards_in_the_host,
        HoardBodies => network::hoards_in_the_host,
        LongMethod => network::hoards_in_the_host,
        PanicIfRefused => network::a_panic_over_a_refusal_is_told_with_the_refusal,
        Tcp => network::a_server_that_says_nothing,
        TcpRaw => network::tcp_without_a_grant,
        TcpForEver => network::sending_without_end,
        Resolve => network::names_that_are_not_granted,
        ResolveAndConnectElsewhere => network::a_connection_to_what_a_name_does_not_stand_for,
        ManySockets => network::ten_thousand_sockets,
        Udp => network::datagrams,
        Listen => network::listening,
        ListenRaw => network::listening,
    }
    evil_validate {
        Pass => validate::pass,
        Panic => validate::panic,
        PanicInFinish => validate::panic_in_finish,
        Loop => validate::loop_in_check,
        RuleTwice => validate::rule_twice,
        OddThreshold => validate::odd_threshold,
        RulePastEnd => validate::rule_past_end,
        MaskShort => validate::mask_short,
        MaskLong => validate::mask_long,
        RowsPastEnd => validate::rows_past_end,
        FindingTwice => validate::finding_twice,
        ManyFindings => validate::many_findings,
        OutcomePastEnd => validate::outcome_past_end,
        OutcomeTwice => validate::outcome_twice,
        ManyRules => validate::many_rules,
        Escapes => escapes::in_rules,
        RejectAll => validate::reject_all,
    }
}

/// The name of a plugin or of a mode as it stands in a pipeline file: `evil_load`, `PanicInOpen` => `panic-in-open`.
fn written(name: &str) -> String {
    let mut written = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            written.push('-');
        }
        written.push(if letter == '_' { '-' } else { letter.to_ascii_lowercase() });
    }
    written
}

/// Plugin and mode of all of them, as pipeline files have them.
pub(super) fn all() -> impl Iterator<Item = (String, String)> {
    TESTED.iter().map(|(plugin, mode, ..)| (written(plugin), written(mode)))
}

/// The test that is named for a mode speaks of it.
#[test]
fn every_mode_is_tried_by_the_test_that_is_named_for_it() {
    let tests = tests();
    for (plugin, mode, file, test) in TESTED {
        let paths = [format!("hostile/{file}"), (*file).to_owned()];
        let found = paths.iter().find_map(|file| Some((file, tests.get(&format!("{file}::{test}"))?)));
        let (file, text) = found.unwrap_or_else(|| panic!("the text of {file}::{test} was not found"));
        let common = tests.get(&format!("{file}::")).cloned().unwrap_or_default();
        let named = format!("'{}'", written(mode));
        assert!(text.contains(&named) || common.contains(&named), "{file}::{test} does not try {mode} of {plugin}");
    }
}
