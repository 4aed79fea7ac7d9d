import type { WalLockOwner } from "../../src/errors.ts";

/** What the lock program says to a command. */
export interface LockAnswer {
  readonly isDone: boolean;
  readonly refusal: { readonly message: string; readonly owner: WalLockOwner | null } | null;
}
