#!/usr/bin/env escript
%% Reads terms as lines of hex, answers one line each: what they are when nothing but known atoms may be made, and the bytes
%% that this Erlang writes of them. The atoms are those that every EMQX has.
main(_) ->
    _ = [message, undefined, true, false, dup, retain, sys, properties, username, peerhost, peername, proto_ver, protocol, mqtt,
         client_attrs, ok, error, '$op', http_api, nl, 'Payload-Format-Indicator', 'Message-Expiry-Interval', 'Content-Type',
         'Response-Topic', 'Correlation-Data', 'User-Property', 'Subscription-Identifier', 'Topic-Alias'],
    lines().

lines() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            answer(string:trim(Line)),
            lines()
    end.

answer("make " ++ Name) ->
    io:format("~s~n", [hex(term_to_binary(made(Name), [{minor_version, 2}]))]);
answer("pack " ++ Hex) ->
    Term = binary_to_term(unhex(Hex), [safe]),
    io:format("~s~n", [hex(term_to_binary(Term, [compressed, {minor_version, 2}]))]);
answer(Hex) ->
    Answer = try binary_to_term(unhex(Hex), [safe]) of
        Term -> hex(term_to_binary(Term, [{minor_version, 2}]))
    catch
        error:badarg -> "badarg"
    end,
    io:format("~s~n", [Answer]).

made("integers") -> [0, 255, 256, -1, 1 bsl 31 - 1, -(1 bsl 31), 1 bsl 31, 1 bsl 53, -(1 bsl 64), 1 bsl 2100];
made("floats") -> [0.0, 1.5, -1.0e300, 1.0e-300];
made("atoms") -> ['', ok, 'ünï', list_to_atom(lists:duplicate(255, 252))];
made("binaries") -> [<<>>, <<"hi">>, <<5:3>>, binary:copy(<<1>>, 70000)];
made("lists") -> [[], "text", [1000], [a | b], lists:duplicate(70000, 1)];
made("tuples") -> [{}, {1}, list_to_tuple(lists:seq(1, 300))];
made("maps") -> [#{}, #{1 => 2, ok => [#{<<"k">> => {}}]}, maps:from_list([{I, I} || I <- lists:seq(1, 100)])];
made("own") -> [self(), make_ref(), fun erlang:length/1, fun(X) -> X end, hd(erlang:ports())].

hex(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Bytes].

unhex(Hex) -> << <<(list_to_integer(Two, 16))>> || Two <- pairs(Hex) >>.

pairs([A, B | Rest]) -> [[A, B] | pairs(Rest)];
pairs([]) -> [].
