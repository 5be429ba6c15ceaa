import { Body, Controller, type DynamicModule, Get, Inject, Injectable, Module, Param, Put } from '@nestjs/common';

/** The service's database. */
export interface Users {
  find(id: string): Promise<{ name: string }>;
  rename(id: string, name: string): Promise<void>;
}

@Injectable()
class UserService {
  readonly #users: Users;

  constructor(@Inject('USERS') users: Users) {
    this.#users = users;
  }

  async find(id: string): Promise<{ name: string }> {
    return this.#users.find(id);
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#users.rename(id, name);
  }
}

@Controller('users')
class UserController {
  readonly #service: UserService;

  constructor(@Inject(UserService) service: UserService) {
    this.#service = service;
  }

  @Get(':id')
  find(@Param('id') id: string): Promise<{ name: string }> {
    return this.#service.find(id);
  }

  @Put(':id')
  rename(@Param('id') id: string, @Body() { name }: { name: string }): Promise<void> {
    return this.#service.rename(id, name);
  }
}

/** The application over a database. */
@Module({})
export class AppModule {
  static over(users: Users): DynamicModule {
    return {
      module: AppModule,
      imports: [],
      controllers: [UserController],
      providers: [UserService, { provide: 'USERS', useValue: users }],
    };
  }
}
