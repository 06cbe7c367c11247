#include <sluicebox_test.h>

#include <string>

static const char FLIGHTS[] = "origin utf8, dest utf8, distance int64";
static const char ROWS[] = "JFK|BQN|1576\nLGA|null|762\n";

static std::string options(const std::string &columns) { return "{ \"columns\": [" + columns + "] }"; }

SB_TEST(texts_are_joined) {
    SB_EQUAL(sb_test_transform(options("\"origin\", \"dest\"").c_str(), FLIGHTS, ROWS),
             "origin|dest|distance|joined\nJFK|BQN|1576|JFK-BQN\nLGA|null|762|null\n");
}

SB_TEST(only_text_is_joined) {
    SB_EQUAL(sb_test_transform(options("\"distance\"").c_str(), FLIGHTS, ROWS),
             "fault invalid-config: column `distance` is int64, not utf8; there is origin utf8, dest utf8, distance int64");
}
