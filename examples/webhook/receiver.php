<?php
// A shop's server that takes the card door's events: docs/events.md. PHP 8, no packages.
//
//     WEBHOOK_KEY=… IMP_KEY=… IMP_SECRET=… php -S 127.0.0.1:8000 receiver.php

declare(strict_types=1);

const PRICES = ["order-1" => 9900]; // won; your own orders
const PAID = ["payment.paid", "payment.paid_without_key"];
const SECONDS = 2; // for each of two requests to Iamport, as EventBridge waits for five

const OK = 204, BAD_REQUEST = 400, UNAUTHORIZED = 401, NOT_SO_AT_IAMPORT = 422, TRY_AGAIN = 503;

class NoAnswer extends Exception {}

// In the same time whatever the key is, so that nobody can guess it letter by letter.
function is_ours(string $key): bool
{
    $keys = array_filter(explode(",", str_replace(" ", "", (string) getenv("WEBHOOK_KEY")))); // both, while the key is changed
    return in_array(true, array_map(fn (string $ours): bool => hash_equals($ours, $key), $keys), true);
}

// The status to answer with.
function take(mixed $event): int
{
    $detail = $event["detail"] ?? null;
    $type = $event["detail-type"] ?? null;
    $attempt_id = $detail["attempt_id"] ?? null;
    if (!is_string($type) || !is_string($attempt_id) || !preg_match('/^[0-9a-f]{32}-[a-z_.]+$/D', "$attempt_id-$type")) {
        return BAD_REQUEST;
    }
    $place = (getenv("TAKEN") ?: "taken") . "/$attempt_id-$type.json"; // a folder in the place of your database
    if (file_exists($place)) {
        return OK;
    }
    if (in_array($type, PAID, true) && !is_paid($detail)) {
        return NOT_SO_AT_IAMPORT;
    }
    $file = @fopen($place, "x"); // yours: a unique key, in one transaction with what you grant
    if ($file === false) {
        return file_exists($place) ? OK : TRY_AGAIN; // the same event, at the same moment
    }
    fwrite($file, json_encode($event, JSON_UNESCAPED_UNICODE));
    fclose($file);
    return OK;
}

// An event is a hint: what was paid, Iamport says, and what it costs, your order does.
function is_paid(array $detail): bool
{
    $keys = ["imp_key" => getenv("IMP_KEY"), "imp_secret" => getenv("IMP_SECRET")];
    $token = ask("/users/getToken", $keys)["access_token"] ?? throw new NoAnswer();
    $payment = ask("/payments/find/" . rawurlencode($detail["merchant_uid"]) . "/paid", null, $token);
    return $payment !== null
        && $payment["imp_uid"] === $detail["imp_uid"]
        && $payment["amount"] === (PRICES[$detail["merchant_uid"]] ?? null);
}

function ask(string $path, ?array $body = null, ?string $token = null): ?array
{
    $headers = ["Content-Type: application/json", ...($token ? ["Authorization: Bearer $token"] : [])];
    $request = ["method" => $body ? "POST" : "GET", "header" => $headers, "timeout" => SECONDS, "ignore_errors" => true];
    if ($body) {
        $request["content"] = json_encode($body);
    }
    $url = (getenv("IAMPORT_BASE_URL") ?: "https://api.iamport.kr") . $path;
    $answer = @file_get_contents($url, false, stream_context_create(["http" => $request]));
    $status = (int) (explode(" ", $http_response_header[0] ?? "")[1] ?? 0);
    if ($status === 404) {
        return null;
    }
    if ($answer === false || $status !== 200) {
        throw new NoAnswer();
    }
    $envelope = json_decode($answer, true);
    return is_array($envelope) ? $envelope["response"] ?? null : throw new NoAnswer();
}

function status(): int
{
    if (!is_ours($_SERVER["HTTP_X_API_KEY"] ?? "")) {
        return UNAUTHORIZED;
    }
    try {
        return take(json_decode(file_get_contents("php://input"), true));
    } catch (NoAnswer) {
        return TRY_AGAIN;
    }
}

http_response_code(status());
