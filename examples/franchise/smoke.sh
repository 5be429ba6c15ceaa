#!/usr/bin/env bash
# The story of this example, told by curl to a running service. Needs bash, curl and node.
#
#   export TOKEN=... TOKEN_ORG2=...           as `npm start` prints them
#   examples/franchise/smoke.sh [URL]         default http://localhost:3001
#
# It can be run again and again on the same service. It ends with 0 if everything was as expected.
set -u
url=${1:-http://localhost:3001}/franchise
: "${TOKEN:?export TOKEN=..., as the service prints it}" "${TOKEN_ORG2:?export TOKEN_ORG2=..., as the service prints it}"
failures=0
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
# What the last answers said that this client has seen written. Sent along, it makes every instance show at least that.
position=''

# request TOKEN METHOD PATH [BODY]: leaves the answer in $body and its status in $status
request() {
  local arguments=(-s -m 20 -X "$2" -D "$headers" -w '\n%{http_code}')
  if [ -n "$1" ]; then arguments+=(-H "authorization: Bearer $1"); fi
  if [ -n "$position" ]; then arguments+=(-H "tidemark-position: $position"); fi
  if [ $# -gt 3 ]; then arguments+=(-H 'content-type: application/json' -d "$4"); fi
  body=$(curl "${arguments[@]}" "$url$3")
  status=${body##*$'\n'}
  body=${body%$'\n'*}
  local told
  told=$(sed -n 's/^tidemark-position: *\([^\r]*\)\r*$/\1/Ip' "$headers" | head -n 1)
  position=${told:-$position}
}

# value EXPRESSION: of the answer `a`, with `rows` by branch
value() {
  printf '%s' "$body" | node -e '
    const a = JSON.parse(require("fs").readFileSync(0, "utf8"));
    const branch = (id) => a.data.find((row) => row.branchId === id);
    const value = eval(process.argv[1]);
    process.stdout.write(String(value));' "$1" 2>/dev/null
}

# expect WHAT EXPRESSION WANTED
expect() {
  local found
  found=$(value "$2")
  if [ "$found" = "$3" ]; then printf 'ok    %s\n' "$1"; else
    printf 'FAIL  %s: %s is %s, expected %s\n      %s %s\n' "$1" "$2" "${found:-nothing}" "$3" "$status" "${body:0:300}"
    failures=$((failures + 1))
  fi
}

# cached TOKEN PATH WHAT: asks until it is. What one instance has loaded the others find in Redis a moment after the answer.
cached() {
  for _ in {1..20}; do
    request "$1" GET "$2"
    if [ "$(value a.cached)" = true ]; then break; fi
    sleep 0.1
  done
  expect "$3" a.cached true
}

# refused STATUS FIELD WHAT: about the last request
refused() {
  expect "$1 for $3" "[$status, a.field, a.message.length > 0 && a.cure.length > 0].join()" "$1,$2,true"
}

budget() { # REVENUE_TARGET [BRANCH]
  printf '{"branchId":"%s","period":"2025-11","revenueTarget":%s,"cogsTarget":21000,"expenseTarget":30000}' "${2:-B123}" "$1"
}

echo '# Every report is loaded once, then cached. The first change makes the start the same for every run.'
request "$TOKEN" POST /budgets "$(budget 70000)"
request "$TOKEN" GET '/budgets?period=2025-11'
expect 'budgets come from the database' a.cached false
expect 'B123 has its target' 'branch("B123").revenueTarget' 70000
cached "$TOKEN" '/budgets?period=2025-11' 'budgets are cached'
for report in overview rankings forecast; do
  cached "$TOKEN" "/$report" "$report is cached"
done
for report in 'budgets?period=2025-11' overview rankings forecast; do
  cached "$TOKEN_ORG2" "/$report" "ORG2: $report is cached"
done

echo '# A budget changes: the budgets are loaded again, and nothing else.'
request "$TOKEN" POST /budgets "$(budget 72000)"
if [ -n "$position" ]; then echo 'ok    the client is told what it has to see'; else
  echo 'FAIL  the answer has no tidemark-position'
  failures=$((failures + 1))
fi
expect 'the change is answered' '[a.data.revenueTarget, a.event, a.invalidation].join()' 72000,budget.updated,applied
request "$TOKEN" GET '/budgets?period=2025-11'
expect 'budgets come from the database again' a.cached false
expect 'B123 has its new target' 'branch("B123").revenueTarget' 72000
cached "$TOKEN" '/budgets?period=2025-11' 'and are cached again'
for report in overview rankings forecast; do
  request "$TOKEN" GET "/$report"
  expect "$report stayed cached" a.cached true
done
request "$TOKEN_ORG2" GET '/budgets?period=2025-11'
expect 'ORG2: budgets stayed cached' a.cached true

echo '# Stock moves: overview, rankings and forecast are loaded again, the budgets are not.'
request "$TOKEN" POST /inventory/adjustments '{"branchId":"B123","productId":"MILK","change":3,"reason":"count"}'
expect 'the adjustment is made' "[$status, a.data.change, a.event].join()" 201,3,inventory.adjusted
request "$TOKEN" GET '/budgets?period=2025-11'
expect 'budgets stayed cached' a.cached true
for report in overview rankings forecast; do
  request "$TOKEN" GET "/$report"
  expect "$report comes from the database" a.cached false
  request "$TOKEN_ORG2" GET "/$report"
  expect "ORG2: $report stayed cached" a.cached true
done

echo '# What is refused, and why.'
request '' GET /overview
refused 401 authorization 'no token'
request "${TOKEN%?????}wrong" GET /overview
refused 401 authorization 'a token that was not issued'
request "$TOKEN_ORG2" POST /budgets "$(budget 1)"
refused 403 branchId "another organisation's branch"
request "$TOKEN_ORG2" POST /purchase-orders/PO-123-2/receive
refused 403 id "another organisation's purchase order"
request "$TOKEN" POST /budgets "$(budget 1 B999)"
refused 404 branchId 'an unknown branch'
request "$TOKEN" POST /purchase-orders/PO-999-9/receive
refused 404 id 'an unknown purchase order'
request "$TOKEN" POST /budgets "$(budget '"a lot"')"
refused 400 revenueTarget 'a text where an amount belongs'
request "$TOKEN" POST /budgets '{"branchId":"B123"}'
refused 400 period 'a missing field'
request "$TOKEN" POST /budgets '{'
refused 400 body 'a body that is no JSON'
request "$TOKEN" GET '/budgets?period=2025-13'
refused 400 period 'a month that does not exist'
request "$TOKEN" GET /nowhere
expect '404 for an unknown route' "[$status, a.error].join()" 404,not_found

if [ "$failures" -gt 0 ]; then printf '%s failed\n' "$failures"; exit 1; fi
echo 'All as expected.'
