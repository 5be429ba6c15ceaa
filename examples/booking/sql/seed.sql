insert into booking.staff values ('S1', 'Noor', 'noor@example.com'), ('S2', 'Emil', 'emil@example.com');

insert into booking.working_hours
select staff.id, weekday, '09:00', case weekday when 5 then '13:00'::time else '17:00' end
from booking.staff, generate_series(1, 5) as weekday;

insert into booking.service values ('cut', 'Haircut', 30), ('colour', 'Colour', 90), ('shave', 'Shave', 15);

insert into booking.customer
select 'C' || n, 'Customer ' || n from generate_series(1, 60) as n;
