//! Data that looks bad and is not: it is read as people mean it, and nothing is lost.

use super::{csv, json, loads};

macro_rules! is_read {
    ($($name:ident: $case:expr => $rows:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(loads(&$case), $rows);
        }
    )*};
}

is_read! {
    only_a_header: csv("odd", b"id,n\n", "") => "id,n\n";
    only_a_header_without_a_line_end: csv("odd", b"id,n", "") => "id,n\n";
    byte_order_mark: csv("odd", b"\xef\xbb\xbfid,n\n1,2\n", "columns = ['id']") => "id\n1\n";
    mixed_line_ends: csv("odd", b"id,n\r\n1,2\n3,4\r\n5,6", "types = { n = 'int64' }") => "id,n\n1,2\n3,4\n5,6\n";
    blank_lines: csv("odd", b"id,n\n\n1,2\n\n\n3,4\n\n", "") => "id,n\n1,2\n3,4\n";
    empty_with_names: csv("odd", b"", "header = false, names = ['id', 'n']") => "id,n\n";
    line_ends_in_quotes: csv("odd", b"id,t\n1,\"a\nb\"\n2,c\n", "") => "id,t\n1,\"a\nb\"\n2,c\n";
    quotes_in_quotes: csv("odd", b"id,t\n1,\"say \"\"hi\"\"\"\n", "") => "id,t\n1,\"say \"\"hi\"\"\"\n";
    leading_zeros_stay: csv("odd", b"zip\n00501\n10001\n", "") => "zip\n00501\n10001\n";
    the_word_null_said_so: csv("odd", b"id,n\n1,null\n2,3\n", "null = ['null'], types = { n = 'int64' }") => "id,n\n1,\n2,3\n";
    columns_in_another_order:
        csv("odd", b"id,n\n1,2\n", "path = 'data/*.csv'").file("data/second.csv", b"n,id\n4,3\n") => "id,n\n1,2\n3,4\n";
    blanks_taken_off: csv("odd", b"id,n\n1, 2 \n", "trim = true, types = { n = 'int64' }") => "id,n\n1,2\n";
    not_a_number_is_one: csv("odd", b"id,x\n1,NaN\n2,1.5\n", "types = { x = 'float64' }") => "id,x\n1,NaN\n2,1.5\n";
    header_without_a_name: csv("odd", b"a,,c\n1,2,3\n", "") => "a,column_2,c\n1,2,3\n";
    trailing_delimiter_in_all_lines: csv("odd", b"a,b,\n1,2,\n", "") => "a,b,column_3\n1,2,\n";
    second_file_is_empty:
        csv("odd", b"id,n\n1,2\n", "path = 'data/*.csv'").file("data/second.csv", b"") => "id,n\n1,2\n";
    second_file_has_other_types:
        csv("odd", b"id,n\n1,2\n", "path = 'data/*.csv'").file("data/second.csv", b"id,n\n1,two\n") => "id,n\n1,2\n1,two\n";
    nothing_divided_by_zero: csv("odd", b"a,b\n1,0\n", "")
        .stage("name = 'divide'\nplugin = 'transform-select'\nconfig.columns = { c = 'a / b', d = 'a % b' }") => "a,b,c,d\n1,0,,\n";
    json_number_as_text: json("odd", b"{\"a\": \"12\"}\n", "types = { a = 'int64' }") => "a\n12\n";
    json_byte_order_mark: json("odd", b"\xef\xbb\xbf{\"a\": 1}\n", "") => "a\n1\n";
    json_blank_lines: json("odd", b"\n{\"a\": 1}\r\n\n{\"a\": 2}", "") => "a\n1\n2\n";
    json_keys_that_are_not_everywhere: json("odd", b"{\"a\": 1}\n{\"b\": 2}\n", "") => "a,b\n1,\n,2\n";
    json_empty_with_types: json("odd", b"", "types = { a = 'int64' }") => "a\n";
}
