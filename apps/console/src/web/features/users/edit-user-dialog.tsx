import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Role, User } from '@tidemark/contracts';
import { useState } from 'react';
import { passwordFault } from '../../shared/password-fault.ts';
import { showToast } from '../../shared/toasts.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Dialog } from '../../shared/ui/dialog.tsx';
import { TextField } from '../../shared/ui/field.tsx';
import { FormError } from '../../shared/ui/form-error.tsx';
import { RoleField } from './role-field.tsx';
import { updateUser, usersQuery } from './user-data.ts';

export function EditUserDialog({ user, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const [role, setRole] = useState<Role>(user.role);
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () =>
      updateUser(user.id, {
        ...(role === user.role ? {} : { role }),
        ...(password === '' ? {} : { password }),
      }),
    async onSuccess(saved) {
      await client.invalidateQueries({ queryKey: usersQuery.queryKey });
      showToast('ok', `${saved.email} was changed`, 'Their other sessions have ended.');
      onClose();
    },
  });
  const fault = password === '' ? undefined : passwordFault(password);
  const unchanged = role === user.role && password === '';

  return (
    <Dialog
      title={`Change ${user.email}`}
      description="Their other sessions end when you save."
      onClose={onClose}
    >
      <form
        className="form"
        onSubmit={event => {
          event.preventDefault();
          setTried(true);
          if (unchanged) onClose();
          else if (fault === undefined) save.mutate();
        }}
      >
        <RoleField value={role} onChange={setRole} />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          value={password}
          hint="Leave it empty to keep the present one."
          error={tried ? fault : undefined}
          onChange={event => setPassword(event.target.value)}
        />
        {save.isError && <FormError error={save.error} />}
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
