import { Link } from '@tanstack/react-router';
import type { User } from '@tidemark/contracts';
import { Eye, History, type LucideIcon, PencilLine, ShieldCheck, Trash2, Wrench } from 'lucide-react';
import { IconButton } from '../../shared/ui/button.tsx';
import { Instant } from '../../shared/ui/instant.tsx';

interface UserTableProps {
  readonly users: readonly User[];
  readonly allowed: boolean;
  readonly myId: number | undefined;
  /** Element that says why the controls are off. */
  readonly reasonId: string;
  readonly onEdit: (user: User) => void;
  readonly onDelete: (user: User) => void;
}

export function UserTable({ users, ...rest }: UserTableProps) {
  return (
    <table className="table table-cards users">
      <thead>
        <tr>
          <th scope="col">Account</th>
          <th scope="col">Role</th>
          <th scope="col">Added</th>
          <th scope="col">Last changed</th>
          <th scope="col">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {users.map(user => (
          <UserRow key={user.id} user={user} {...rest} />
        ))}
      </tbody>
    </table>
  );
}

function UserRow({
  user,
  allowed,
  myId,
  reasonId,
  onEdit,
  onDelete,
}: Omit<UserTableProps, 'users'> & { user: User }) {
  const isMe = user.id === myId;
  const reason = allowed ? undefined : reasonId;
  return (
    <tr>
      <th scope="row">
        <span className="user-cell">
          <span className="avatar" aria-hidden="true" data-hue={user.id % 6}>
            {user.email.slice(0, 1).toUpperCase()}
          </span>
          {user.email}
          <small>
            id <span className="mono">{user.id}</span>
            {isMe && ' · you'}
          </small>
        </span>
      </th>
      <td data-label="Role">
        <RoleTag role={user.role} />
      </td>
      <td data-label="Added">
        <Instant at={user.createdAt} />
      </td>
      <td data-label="Last changed">
        <Instant at={user.updatedAt} />
      </td>
      <td className="cell-actions">
        <Link
          className="icon-button"
          to="/rows/$database/$table/$key"
          params={{ database: 'sre_app', table: 'users', key: String(user.id) }}
          search={{}}
          aria-label={`History of the row of ${user.email}`}
          title="Row history"
        >
          <History size={16} />
        </Link>
        <IconButton
          label={`Change ${user.email}`}
          disabled={!allowed}
          aria-describedby={reason}
          onClick={() => onEdit(user)}
        >
          <PencilLine size={16} />
        </IconButton>
        <IconButton
          label={isMe ? 'You cannot delete your own account' : `Delete ${user.email}`}
          className="icon-button-danger"
          disabled={!allowed || isMe}
          aria-describedby={reason}
          onClick={() => onDelete(user)}
        >
          <Trash2 size={16} />
        </IconButton>
      </td>
    </tr>
  );
}

const roleIcons: Readonly<Record<User['role'], LucideIcon>> = {
  admin: ShieldCheck,
  operator: Wrench,
  viewer: Eye,
};

function RoleTag({ role }: { readonly role: User['role'] }) {
  const Icon = roleIcons[role];
  return (
    <span className={`role role-${role}`}>
      <Icon size={14} aria-hidden="true" />
      {role}
    </span>
  );
}
