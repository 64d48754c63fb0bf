import type { Role } from '@tidemark/contracts';
import { useId } from 'react';

const meanings: Readonly<Record<Role, string>> = {
  admin: 'Everything, accounts included.',
  operator: 'Everything but accounts.',
  viewer: 'Looks, changes nothing.',
};

interface RoleFieldProps {
  readonly value: Role;
  readonly onChange: (role: Role) => void;
}

/** The roles with what each of them may do, so that nobody has to know it. */
export function RoleField({ value, onChange }: RoleFieldProps) {
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>Role</legend>
      {(Object.keys(meanings) as Role[]).map(role => (
        <label key={role} className="choice">
          <input
            type="radio"
            name={name}
            value={role}
            checked={role === value}
            onChange={() => onChange(role)}
          />
          <b>{role}</b>
          <small>{meanings[role]}</small>
        </label>
      ))}
    </fieldset>
  );
}
