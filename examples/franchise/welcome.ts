import type { Tenants } from './domain/tenants.ts';

/** What a newcomer reads after `npm start`: two tokens to copy into a shell, and three requests to try there. */
export function welcome(url: string, tenants: Tenants): string {
  const bearer = '-H "authorization: Bearer $TOKEN"';
  const budgets = `${url}/franchise/budgets`;
  const body = '{"branchId":"B123","period":"2025-11","revenueTarget":72000,"cogsTarget":21000,"expenseTarget":30000}';
  const show = `grep -oE '"cached":[a-z]+|[{]"branchId":"B123"[^}]*'`;
  return `
Franchise analytics is at ${url}. Ctrl-C stops it. For another shell:

export TOKEN=${tenants.token('ORG1')}
export TOKEN_ORG2=${tenants.token('ORG2')}

# 1. The budgets of a month. Send it twice: "cached" is false, then true.
curl -s ${bearer} "${budgets}?period=2025-11" | ${show}

# 2. New targets for one branch.
curl -s ${bearer} -H "content-type: application/json" -d '${body}' -w '\\n' ${budgets}

# 3. The first request again: "cached" is false, with the new targets.
curl -s ${bearer} "${budgets}?period=2025-11" | ${show}

`;
}
