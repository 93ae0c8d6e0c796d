#!/usr/bin/env escript
%% A process for each client, on the BEAM: `erlang.escript PORT`, with the parser of HTTP heads that its sockets have.
-mode(compile).
-define(DEADLINE_MS, 5000).
-define(WAIT_MS_MAX, 10000).
-define(ROUNDS_MAX, 100000000).
-define(MASK, 16#FFFFFFFFFFFFFFFF).

main(["--version"]) ->
    io:format("Erlang/OTP ~s~n", [erlang:system_info(otp_release)]);
main([Port]) ->
    Options = [binary, {ip, {127, 0, 0, 1}}, {packet, http_bin}, {active, false},
               {reuseaddr, true}, {nodelay, true}, {backlog, 1024}],
    {ok, Listener} = gen_tcp:listen(list_to_integer(Port), Options),
    accept(Listener).

accept(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Client = spawn(fun() -> receive ready -> converse(Socket) end end),
    case gen_tcp:controlling_process(Socket, Client) of
        ok -> Client ! ready;
        {error, _} -> exit(Client, kill)
    end,
    accept(Listener).

converse(Socket) ->
    case gen_tcp:recv(Socket, 0, ?DEADLINE_MS) of
        {ok, {http_request, Method, Target, _}} -> headers(Socket, Method, Target, keep);
        _ -> gen_tcp:close(Socket)
    end.

headers(Socket, Method, Target, After) ->
    case gen_tcp:recv(Socket, 0, ?DEADLINE_MS) of
        {ok, {http_header, _, 'Connection', _, Value}} ->
            case string:lowercase(Value) of
                <<"close">> -> headers(Socket, Method, Target, close);
                _ -> headers(Socket, Method, Target, After)
            end;
        {ok, {http_header, _, _, _, _}} -> headers(Socket, Method, Target, After);
        {ok, http_eoh} ->
            case {gen_tcp:send(Socket, answer(Method, Target, After)), After} of
                {ok, keep} -> converse(Socket);
                _ -> gen_tcp:close(Socket)
            end;
        _ -> gen_tcp:close(Socket)
    end.

answer('GET', {abs_path, Path}, After) ->
    case content(binary:split(Path, <<"/">>, [global])) of
        none -> response(<<"404 Not Found">>, <<"not found\n">>, After);
        Body -> response(<<"200 OK">>, Body, After)
    end;
answer(_, _, After) -> response(<<"404 Not Found">>, <<"not found\n">>, After).

response(Status, Body, After) ->
    Close = case After of close -> <<"Connection: close\r\n">>; keep -> <<>> end,
    [<<"HTTP/1.1 ">>, Status, <<"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ">>,
     integer_to_binary(byte_size(Body)), <<"\r\n">>, Close, <<"\r\n">>, Body].

content([<<>>, <<>>]) -> <<"Hola, cliente!">>;
content([<<>>, Name, Argument]) ->
    case {Name, string:to_integer(Argument)} of
        {<<"wait">>, {Ms, <<>>}} when Ms >= 0, Ms =< ?WAIT_MS_MAX ->
            timer:sleep(Ms),
            <<"waited ", (integer_to_binary(Ms))/binary, " ms\n">>;
        {<<"compute">>, {Rounds, <<>>}} when Rounds >= 0, Rounds =< ?ROUNDS_MAX ->
            integer_to_binary(compute(Rounds, 16#9E3779B97F4A7C15));
        _ -> none
    end;
content(_) -> none.

%% So many rounds of xorshift64*, as in Hola's /compute.
compute(0, State) -> (State * 16#2545F4914F6CDD1D) band ?MASK;
compute(Rounds, State) ->
    A = State bxor (State bsr 12),
    B = A bxor ((A bsl 25) band ?MASK),
    compute(Rounds - 1, B bxor (B bsr 27)).
