import type { Role, User } from '@tidemark/contracts';

/** The columns of `users` that clients may see. */
export const userColumns = ['id', 'email', 'role', 'created_at', 'updated_at'] as const;

export interface UserRow {
  readonly id: number;
  readonly email: string;
  readonly role: Role;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
